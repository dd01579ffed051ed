import { createOffers, isLines, menuOf, notPlain } from '../route/negotiation'
import type { Codec } from '../route/plan'
import type { Content, Schema } from './types'

const text: Schema = { type: 'string' }
/** Bytes of any kind have no schema that would say more (OpenAPI 3.1 §4.8.14.2). */
const bytes: Schema = {}

/**
 * What an answer with this schema can be sent as.
 *
 * @param schema of the value
 * @param produces media types that are declared; none: all that the codecs encode
 * @param list whether the value is a list, which can also be sent a value a line
 */
export function contentOf(
  schema: Schema,
  produces: readonly string[],
  codecs: readonly Codec[],
  list: boolean,
  example?: unknown,
): Content {
  const { structured, textType, textual } = menuOf(produces, codecs)
  if (schema.type === 'string' && textual) return { [textType]: { schema } }
  const values = new Set(structured.map(({ type }) => type))
  const lines = list && produces.length === 0 ? createOffers([], codecs).filter(({ type }) => isLines(type)) : []
  const types = produces.length > 0 ? produces : [...values, ...lines.map(({ type }) => type)]
  return Object.fromEntries(
    types.map((type) => {
      if (type === '*/*' || type === 'application/octet-stream') return [type, { schema: bytes }]
      if (!values.has(type) || notPlain.has(type) || isLines(type)) return [type, { schema: text }]
      return [type, { schema, ...(example !== undefined && { example }) }]
    }),
  )
}
