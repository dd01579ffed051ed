const token = /^[!#$%&'*+\-.^_`|~\w]+$/

/**
 * Whether a text is a token: a method, a range unit, the name of a header or parameter.
 *
 * @param text the whole of it
 * @see RFC 9110 §5.6.2
 *
 * @example
 * isToken('max-age') // true
 */
export function isToken(text: string): boolean {
  return token.test(text)
}
