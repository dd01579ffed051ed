import type { Codec, DecodeContext, Limits } from '../../../src/route/plan'

export const limits: Limits = {
  body: 1024 * 1024,
  depth: 32,
  string: 1_000_000,
  keys: 1000,
  items: 10_000,
  parts: 100,
  files: 10,
  fileSize: 10 * 1024 * 1024,
  document: 16 * 1024 * 1024,
}

/** What a body reader tells a codec about a content type without parameters. */
export function contextOf(parameters: Record<string, string> = {}, bounds: Partial<Limits> = {}): DecodeContext {
  return { charset: parameters.charset?.toLowerCase() ?? 'utf-8', parameters, limits: { ...limits, ...bounds } }
}

/** Decodes text at once; the default codecs need no promise. */
export function decode(codec: Codec, text: string | Buffer, context: DecodeContext = contextOf()): unknown {
  return codec.decode?.(Buffer.from(text as string), context)
}

/** What a codec writes, as text. */
export function encode(codec: Codec, value: unknown): string {
  return Buffer.from(codec.encode?.(value) as string).toString()
}

/** Null-prototype objects as ordinary ones, to compare them. */
export function plain(value: unknown): unknown {
  return structuredClone(value)
}

/** The error that a call throws; fails where it throws none. */
export function thrownBy(call: () => unknown): { status?: number; code?: string; message: string; errors?: unknown } {
  try {
    call()
  } catch (error) {
    return error as { message: string }
  }
  throw new Error('Nothing was thrown')
}
