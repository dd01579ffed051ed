/**
 * A name as a token of a JSON pointer.
 *
 * @param name any text
 * @see RFC 6901 §3
 *
 * @example
 * escapePointer('a/b~c') // 'a~1b~0c'
 */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/**
 * The name that a token of a JSON pointer stands for, the inverse of {@link escapePointer}.
 *
 * @param token a token, without the slash before it
 * @see RFC 6901 §4
 *
 * @example
 * unescapePointer('a~1b~0c') // 'a/b~c'
 */
export function unescapePointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
