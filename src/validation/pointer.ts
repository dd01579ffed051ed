import { escapePointer } from '../http/pointer'

const longest = 128

/**
 * A JSON pointer one token longer (RFC 6901 §3).
 *
 * Tokens may be names of the client's making: a very long one is cut, so that an answer never grows with a request.
 *
 * @param parent the pointer so far; empty: the whole value
 * @param token the name of a member, or the index of an element
 *
 * @example
 * below('/items/0', 'a/b') // '/items/0/a~1b'
 */
export function below(parent: string, token: string | number): string {
  if (typeof token === 'number') return `${parent}/${token}`
  return `${parent}/${escapePointer(clip(token))}`
}

/** A name of the client's making, at a length fit for an answer. */
export function clip(name: string): string {
  return name.length > longest ? `${name.slice(0, longest)}…` : name
}
