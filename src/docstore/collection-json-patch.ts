import type { Operation } from 'rfc6902'
import { BadRequest, ContentTooLarge, ResourceExists, ValidationError, type HttpError, type Violation } from '../errors'
import { escapePointer, unescapePointer } from '../http/pointer'
import { isRecord } from './collection-form'

/** Operations of one patch at the most. */
const mostOperations = 1000

/** How large a patch may make a document by copying: in characters of JSON. */
export interface PatchBounds {
  readonly grown: number
}

/** A place in a document: what holds it, and its name in there. */
interface Place {
  readonly holder: unknown
  readonly name: string
}

/**
 * Applies a JSON Patch.
 *
 * A patch that is none is 400, one that does not fit the document as it is 409 (a failing `test`, a member that is not
 * there), one that reaches for a prototype 422; the violation points at the operation.
 *
 * @param document changed in place: give it a document of its own
 * @param patch decoded JSON
 * @param bounds how far `copy` may go
 * @returns the patched document: another one where the patch replaces it whole
 * @see RFC 6902, RFC 5789 §2.2
 *
 * @example
 * applyJsonPatch({ a: 1 }, [{ op: 'replace', path: '/a', value: 2 }], { grown: 1000 })   // { a: 2 }
 */
export function applyJsonPatch(document: unknown, patch: unknown, bounds: PatchBounds): unknown {
  if (!Array.isArray(patch)) throw malformed('', 'A JSON Patch is a list of operations')
  if (patch.length > mostOperations) {
    throw new ContentTooLarge(`A patch takes ${mostOperations} operations at the most`, { code: 'too-large' })
  }
  return new Patching(document, bounds.grown).run(patch)
}

/** One patch at work. The document is a member of a root, so that the whole of it is a place like any other. */
class Patching {
  readonly #root: { document?: unknown }
  #left: number
  #pointer = ''

  constructor(document: unknown, grown: number) {
    this.#root = { document }
    this.#left = grown
  }

  run(patch: readonly unknown[]): unknown {
    for (const [index, operation] of patch.entries()) {
      this.#pointer = `/${index}`
      this.#apply(operation)
    }
    return this.#root.document
  }

  #apply(operation: unknown): void {
    if (!isRecord(operation)) throw malformed(this.#pointer, 'An operation is an object')
    switch (operation.op) {
      case 'add':
        return this.#add(this.#tokens(operation, 'path'), this.#value(operation))
      case 'remove':
        return this.#remove(this.#tokens(operation, 'path'), 'path')
      case 'replace': {
        const tokens = this.#tokens(operation, 'path')
        this.#existing(tokens, 'path')
        return this.#perform({ op: 'replace', path: toPointer(tokens), value: this.#value(operation) })
      }
      case 'move': {
        const [from, to] = [this.#tokens(operation, 'from'), this.#tokens(operation, 'path')]
        const value = this.#existing(from, 'from')
        const inside = from.length <= to.length && from.every((token, index) => token === to[index])
        if (inside && from.length < to.length) throw this.#conflict('path', 'lies inside of what is moved')
        if (inside) return
        this.#remove(from, 'from')
        this.#add(to, value)
        return this.#keep(to, value)
      }
      case 'copy': {
        const to = this.#tokens(operation, 'path')
        const value = this.#existing(this.#tokens(operation, 'from'), 'from')
        // A few lines that copy a document into itself would fill the memory.
        this.#left -= JSON.stringify(value).length
        if (this.#left < 0) throw new ContentTooLarge('The patch copies too much', { code: 'too-large' })
        return this.#add(to, value)
      }
      case 'test': {
        const value = this.#value(operation)
        if (isEqual(this.#existing(this.#tokens(operation, 'path'), 'path'), value)) return
        throw this.#conflict('path', 'has another value', 'test')
      }
      default:
        throw malformed(`${this.#pointer}/op`, 'op is add, remove, replace, move, copy or test')
    }
  }

  #add(tokens: readonly string[], value: unknown): void {
    const { holder, name } = this.#place(tokens, 'path')
    const fits = Array.isArray(holder) ? name === '-' || indexOf(name) <= holder.length : isRecord(holder)
    if (!fits) throw this.#conflict('path', 'has no place for a value')
    this.#perform({ op: 'add', path: toPointer(tokens), value })
  }

  /** Puts a value itself in the place of the copy that was added: what is moved stays the same object. */
  #keep(tokens: readonly string[], value: unknown): void {
    const { holder, name } = this.#place(tokens, 'path')
    if (Array.isArray(holder)) holder[name === '-' ? holder.length - 1 : indexOf(name)] = value
    else (holder as Record<string, unknown>)[name] = value
  }

  #remove(tokens: readonly string[], member: string): void {
    this.#existing(tokens, member)
    this.#perform({ op: 'remove', path: toPointer(tokens) })
  }

  /** Hands on what was checked: the library also looks at what objects inherit, and takes any text for an index. */
  #perform(operation: Operation): void {
    const [failure] = library().applyPatch(this.#root, [operation])
    if (failure) throw this.#conflict('path', 'cannot be changed so')
  }

  /** The value at a place. */
  #existing(tokens: readonly string[], member: string): unknown {
    const { holder, name } = this.#place(tokens, member)
    const value = step(holder, name)
    if (value === undefined) throw this.#conflict(member, 'names nothing that is there')
    return value
  }

  #place(tokens: readonly string[], member: string): Place {
    let holder: unknown = this.#root
    for (const token of tokens.slice(0, -1)) {
      holder = step(holder, token)
      if (holder === undefined) throw this.#conflict(member, 'names nothing that is there')
    }
    return { holder, name: tokens.at(-1) as string }
  }

  #tokens(operation: Record<string, unknown>, member: 'path' | 'from'): readonly string[] {
    const text = Object.hasOwn(operation, member) ? operation[member] : undefined
    if (typeof text !== 'string' || !/^(?:\/(?:[^~/]|~[01])*)*$/.test(text)) {
      throw malformed(`${this.#pointer}/${member}`, `${member} is a JSON pointer`)
    }
    const tokens = text.split('/').slice(1).map(unescapePointer)
    if (tokens.some((token) => unreachable.has(token))) {
      const detail = `${member} reaches for what is no member`
      throw new ValidationError(detail, this.#said(member, 'pointer', detail))
    }
    return ['document', ...tokens]
  }

  #value(operation: Record<string, unknown>): unknown {
    if (Object.hasOwn(operation, 'value')) return operation.value
    throw malformed(`${this.#pointer}/value`, 'value is missing')
  }

  #conflict(member: string, what: string, code = 'missing'): ResourceExists {
    const detail = `${member} ${what}`
    return new ResourceExists(detail, this.#said(member, code, detail))
  }

  #said(member: string, code: string, detail: string): { code: string; errors: readonly Violation[] } {
    return { code, errors: [{ in: 'body', pointer: `${this.#pointer}/${member}`, code, detail }] }
  }
}

const unreachable: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** A member by its own name, an element by its index; nothing that is inherited. */
function step(holder: unknown, token: string): unknown {
  if (Array.isArray(holder)) return holder[indexOf(token)]
  return isRecord(holder) && Object.hasOwn(holder, token) ? holder[token] : undefined
}

/** The index that a token writes as RFC 6901 §4 wants it; infinite where it is none. */
function indexOf(token: string): number {
  return /^(?:0|[1-9]\d{0,14})$/.test(token) ? Number(token) : Infinity
}

function toPointer(tokens: readonly string[]): string {
  return tokens.map((token) => `/${escapePointer(token)}`).join('')
}

/** Equality of JSON values (RFC 6902 §4.6): by number, not by how it is written; members in any order. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((element, index) => isEqual(element, right[index]))
  }
  if (!isRecord(left) || !isRecord(right)) return false
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  return names.every((name) => Object.hasOwn(right, name) && isEqual(left[name], right[name]))
}

function malformed(pointer: string, detail: string): HttpError {
  return new BadRequest(detail, { code: 'patch', errors: [{ in: 'body', pointer, code: 'patch', detail }] })
}

let loaded: typeof import('rfc6902') | undefined

/** Loaded with the first patch. */
function library(): typeof import('rfc6902') {
  return (loaded ??= require('rfc6902') as typeof import('rfc6902'))
}
