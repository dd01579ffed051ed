import { BadRequest, type ValueSource } from '../errors'

/**
 * The 400 about one value of a request; it never holds that value.
 *
 * @param source where the value stands
 * @param pointer where in there: a JSON pointer (RFC 6901), empty for the whole
 * @param code the rule that broke, of the error and of its only violation
 * @param detail a sentence for people
 *
 * @example
 * throw refusal('query', '/offset', 'type', '"offset" is a whole number from zero on')
 */
export function refusal(source: ValueSource, pointer: string, code: string, detail: string): BadRequest {
  return new BadRequest(detail, { code, errors: [{ in: source, pointer, code, detail }] })
}
