import { pipeline, type Readable } from 'node:stream'
import { malformed } from './codecs/malformed'
import { Form, headerLimit, type Multipart, type Token } from './multipart-form'
import type { Limits } from './plan'
import type { UploadDirectory } from './upload'

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
    // The parser also ends well at a boundary that is cut off; only the closing one says that all is here (RFC 2046 §5.1.1).
    if (parser.explain() !== 'state = END') throw malformed('The body is not well-formed multipart')
    return form.result()
  } catch (error) {
    throw isParserError(error) ? malformed('The body is not well-formed multipart') : error
  } finally {
    await form.close()
  }
}

/** The parser's own; a full disk, say, is no fault of the client's. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && 'httpCode' in error
}
