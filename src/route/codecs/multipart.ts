import { pipeline, type Readable } from 'node:stream'
import { ContentTooLarge, ValidationError } from '../../errors'
import { expandQuery } from '../../http/query'
import { parseMediaType } from '../../http/media-type'
import type { Limits } from '../plan'
import { toFilename, UploadedFile, type UploadDirectory } from '../upload'
import { decodeText } from './charset'
import { parseDisposition } from './disposition'
import { malformed } from './malformed'
import { tooLarge } from './request-bytes'

/** What a multipart body holds: its texts as a form has them, and its files by the names of their parts. */
export interface Multipart {
  readonly value: unknown
  readonly files: ReadonlyMap<string, readonly UploadedFile[]>
}

/** What formidable's parser gives: a name of what happened, and for data the piece of a buffer. */
interface Token {
  readonly name: string
  readonly buffer?: Buffer
  readonly start?: number
  readonly end?: number
}

/** Where the content of one part goes. */
interface Sink {
  write(chunk: Buffer): void | Promise<void>
  end(): void | Promise<void>
  /** Lets go of what it holds, finished or not. */
  close?(): Promise<void>
}

/** Bytes of the headers of one part at the most. */
const headerLimit = 16 * 1024

/**
 * The bytes that a multipart body has at the most: it is bounded by its parts.
 *
 * @param limits `body` bytes of texts, `files` times `fileSize`, and the headers of `parts`
 * @param withFiles whether any file is taken
 */
export function multipartLimit({ body, files, fileSize, parts }: Limits, withFiles: boolean): number {
  return body + (withFiles ? files * fileSize : 0) + parts * headerLimit
}

/**
 * Reads a form with files (RFC 7578). Files go to the directory as they come, the rest is held in memory.
 *
 * Only the tokenizer of formidable is used: neither it nor koa-body, which wraps it, can stop a body at a part that is
 * refused, count bytes while they come, or hold field names that a prototype has.
 *
 * @param source the body, its content codings undone
 * @param boundary of the content type
 * @param options the names of parts that may be files, and the limits
 * @param directory for the files; whoever made it removes it
 * @throws BadRequest where it is malformed, ContentTooLarge beyond a limit, ValidationError for a file nobody declared
 */
export async function readMultipart(
  source: Readable,
  boundary: string,
  options: { readonly files: readonly string[]; readonly limits: Limits },
  directory: UploadDirectory,
): Promise<Multipart> {
  // Loaded with the first upload: most applications never see one.
  const { MultipartParser } = require('formidable') as typeof import('formidable')
  const parser = new MultipartParser()
  parser.initWithBoundary(boundary)
  const form = new Form(options.files, options.limits, directory)
  try {
    // Its callback hears of nothing that the loop below does not throw.
    for await (const token of pipeline(source, parser, () => undefined) as AsyncIterable<Token>) await form.take(token)
    return form.result()
  } catch (error) {
    throw isParserError(error) ? malformed('The body is not well-formed multipart') : error
  } finally {
    await form.close()
  }
}

class Form {
  readonly #declared: ReadonlySet<string>
  readonly #limits: Limits
  readonly #directory: UploadDirectory
  readonly #fields = new Map<string, string[]>()
  readonly #files = new Map<string, UploadedFile[]>()
  #parts = 0
  #fileCount = 0
  #fieldBytes = 0
  #headerBytes = 0
  #headerName: Buffer[] = []
  #headerValue: Buffer[] = []
  #headers = new Map<string, Buffer>()
  #sink: Sink | undefined

  constructor(files: readonly string[], limits: Limits, directory: UploadDirectory) {
    this.#declared = new Set(files)
    this.#limits = limits
    this.#directory = directory
  }

  async take({ name, buffer, start, end }: Token): Promise<void> {
    const chunk = buffer?.subarray(start, end)
    if (name === 'partBegin') this.#beginPart()
    else if (name === 'headerField' && chunk) this.#addHeader(this.#headerName, chunk)
    else if (name === 'headerValue' && chunk) this.#addHeader(this.#headerValue, chunk)
    else if (name === 'headerEnd') this.#endHeader()
    else if (name === 'headersEnd') this.#sink = await this.#openSink()
    else if (name === 'partData' && chunk) await this.#sink?.write(chunk)
    else if (name === 'partEnd') await this.#sink?.end()
  }

  result(): Multipart {
    const { depth, keys } = this.#limits
    return { value: expandQuery(this.#fields, { depth, keys, in: 'body' }), files: this.#files }
  }

  async close(): Promise<void> {
    await this.#sink?.close?.()
  }

  #beginPart(): void {
    const { parts } = this.#limits
    if (++this.#parts > parts) throw tooMany(`The body has more than ${parts} parts`)
    this.#headers.clear()
    this.#headerBytes = 0
  }

  #addHeader(pieces: Buffer[], chunk: Buffer): void {
    this.#headerBytes += chunk.length
    if (this.#headerBytes > headerLimit) throw malformed('A part has headers that are too long')
    pieces.push(chunk)
  }

  #endHeader(): void {
    const name = Buffer.concat(this.#headerName).toString('latin1').toLowerCase()
    if (!this.#headers.has(name)) this.#headers.set(name, Buffer.concat(this.#headerValue))
    this.#headerName = []
    this.#headerValue = []
  }

  async #openSink(): Promise<Sink> {
    const { name, filename } = parseDisposition(this.#headers.get('content-disposition') ?? Buffer.alloc(0)) ?? {}
    if (name === undefined) throw malformed('A part has no name')
    const coding = this.#headers.get('content-transfer-encoding')?.toString('latin1').trim() ?? 'binary'
    // RFC 7578 §4.7 deprecates the header: nobody encodes parts, and those that would are better refused than guessed.
    if (!/^(?:7bit|8bit|binary)$/i.test(coding)) throw malformed('A part has a transfer encoding', 'coding')
    if (filename === undefined) return this.#fieldSink(name)
    // A file input that was left empty is sent as a file without name.
    return filename === '' ? emptySink : this.#fileSink(name, filename)
  }

  #fieldSink(name: string): Sink {
    const { body: limit } = this.#limits
    const charset = parseMediaType(this.#contentType() ?? '')?.parameters.charset ?? 'utf-8'
    const chunks: Buffer[] = []
    const count = (bytes: number): void => {
      this.#fieldBytes += bytes
      if (this.#fieldBytes > limit) throw tooLarge(limit, 'The text of the body')
    }
    count(name.length)
    return {
      write(chunk) {
        count(chunk.length)
        // A copy: the piece belongs to the parser, which uses its look-behind again.
        chunks.push(Buffer.from(chunk))
      },
      end: () => {
        const text = decodeText(Buffer.concat(chunks), charset)
        const known = this.#fields.get(name)
        if (known) known.push(text)
        else this.#fields.set(name, [text])
      },
    }
  }

  async #fileSink(name: string, filename: string): Promise<Sink> {
    const { files, fileSize } = this.#limits
    if (!this.#declared.has(name)) throw undeclared(name)
    if (++this.#fileCount > files) throw tooMany(`The body has more than ${files} files`)
    const type = parseMediaType(this.#contentType() ?? '')?.essence ?? 'application/octet-stream'
    const { handle, path } = await this.#directory.create()
    let size = 0
    let isOpen = true
    const close = async (): Promise<void> => {
      if (!isOpen) return
      isOpen = false
      await handle.close()
    }
    return {
      async write(chunk) {
        size += chunk.length
        if (size > fileSize) throw tooLarge(fileSize, 'A file')
        await handle.appendFile(chunk)
      },
      end: async () => {
        await close()
        const file = new UploadedFile(name, toFilename(filename), type, size, path)
        const known = this.#files.get(name)
        if (known) known.push(file)
        else this.#files.set(name, [file])
      },
      close,
    }
  }

  #contentType(): string | undefined {
    return this.#headers.get('content-type')?.toString('latin1').trim()
  }
}

/** Takes what a file input without a file has: nothing. */
const emptySink: Sink = {
  write() {
    throw malformed('A file has content and no name')
  },
  end: () => undefined,
}

function tooMany(detail: string): ContentTooLarge {
  return new ContentTooLarge(detail, { code: 'too-many' })
}

function undeclared(name: string): ValidationError {
  const detail = 'No file is taken under this name'
  const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
  return new ValidationError(detail, { code: 'unknown', errors: [{ in: 'body', pointer, code: 'unknown', detail }] })
}

/** The parser's own; a full disk, say, is no fault of the client's. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && 'httpCode' in error
}
