import { pipeline, type Duplex, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { RawAnswer } from './inject'

const decoders: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/**
 * The content of an answer as `fetch` gives it: decoded, where the coding is known (RFC 9110 §8.4.1).
 *
 * @param codings the `Content-Encoding` header
 */
export function decodeAnswer({ content, stream }: RawAnswer, codings: string | null): Buffer | Readable {
  const names = (codings ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const makers = names.reverse().map((name) => decoders[name])
  const isKnown = makers.length > 0 && makers.every((make) => make !== undefined)
  if (!isKnown || content?.length === 0) return content ?? stream
  const steps = makers.map((make) => make())
  const [first, last] = [steps[0]!, steps.at(-1)!]
  // The reader of the last step is told of what goes wrong in any.
  const told = (): void => undefined
  if (content) first.end(content)
  pipeline(content ? steps : [stream, ...steps], told)
  return last
}
