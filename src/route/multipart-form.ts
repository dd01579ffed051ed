import { ContentTooLarge, ValidationError } from '../errors'
import { parseMediaType } from '../http/media-type'
import { escapePointer } from '../http/pointer'
import { expandQuery } from '../http/query'
import { tooLarge } from './body-bytes'
import { decodeText } from './codecs/charset'
import { malformed } from './codecs/malformed'
import { parseDisposition } from './disposition'
import type { Limits } from './plan'
import { toFilename, UploadedFile, type UploadDirectory } from './upload'

/** What a multipart body holds: its texts as a form has them, and its files by the names of their parts. */
export interface Multipart {
  readonly value: unknown
  readonly files: ReadonlyMap<string, readonly UploadedFile[]>
}

/** What formidable's parser gives: a name of what happened, and for data the piece of a buffer. */
export interface Token {
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
export const headerLimit = 16 * 1024

export class Form {
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
  const pointer = `/${escapePointer(name)}`
  return new ValidationError(detail, { code: 'unknown', errors: [{ in: 'body', pointer, code: 'unknown', detail }] })
}
