import { expandQuery, parseQuery } from '../../http/query'
import type { Codec } from '../plan'
import { decodeText } from './charset'

/**
 * An HTML form: names and values as in a query, brackets included. It is only read: an answer is never a form.
 *
 * @see WHATWG URL §5.1
 */
export const form: Codec = {
  type: 'application/x-www-form-urlencoded',
  text: true,
  decode: (bytes, { charset, limits: { body: length, depth, keys } }) =>
    expandQuery(parseQuery(decodeText(bytes, charset), { keys, length, in: 'body' }), { depth, keys, in: 'body' }),
}
