import type { SchemaIssue } from '../route/plan'
import type { Findings } from './findings'
import type { Place } from './place'
import { quotingMessages, withoutQuotation } from './quotes'

/** A value that a schema refused, and what it has to say of it. */
export interface Refused {
  readonly value: unknown
  /** Which element of a list it is. */
  readonly index?: number
  readonly issues: readonly SchemaIssue[]
}

/** An answer names no more, and what is not told need not be made fit to tell. */
export const mostIssues = 100

/**
 * Takes a schema's issues over as findings: each where it points to, and in its own words as far as they are none of the
 * client's.
 *
 * @param refused the value, or the elements of it that have issues
 * @param input the whole value
 * @param place of the whole value
 * @param explain a sentence of the author's in the place of all messages
 */
export function takeIssues(
  refused: readonly Refused[],
  input: unknown,
  place: Place,
  findings: Findings,
  explain?: string,
): void {
  const told: Array<{ readonly place: Place; readonly code: string; readonly message: string | undefined }> = []
  for (const { value, index, issues } of refused) {
    const from = index === undefined ? place : place.element(index)
    // A failure without a reason is one all the same.
    for (const issue of issues.length > 0 ? issues : [{ message: '' }]) {
      if (told.length >= mostIssues) break
      const at = follow(issue.path, value, from)
      const message = typeof issue.message === 'string' ? withoutQuotation(issue.message, at.value) : undefined
      told.push({ place: at.place, code: codeOf(issue), message })
    }
  }
  const messages = new Set(told.map(({ message }) => message).filter((message) => message !== undefined))
  const quoting = explain === undefined ? quotingMessages(messages, input) : messages
  for (const { place: at, code, message } of told) {
    const safe = message !== undefined && !quoting.has(message)
    findings.add(at.pointer, code, explain ?? (safe ? message : `${at.label} is not valid`))
  }
}

/** The place that a path leads to, and the value that was submitted there. */
function follow(path: SchemaIssue['path'], value: unknown, place: Place): { place: Place; value: unknown } {
  const at = { place, value }
  // Read by turns: the paths of one library are a kind of array whose `map` adds an element.
  for (const segment of path ?? []) {
    const key = isObject(segment) ? segment.key : segment
    at.place = typeof key === 'number' ? at.place.element(key) : at.place.entry(nameOf(key))
    at.value =
      isObject(at.value) && Object.hasOwn(at.value, key) ? (at.value as Record<PropertyKey, unknown>)[key] : undefined
  }
  return at
}

function nameOf(key: unknown): string {
  if (typeof key === 'string') return key
  return typeof key === 'symbol' ? (key.description ?? '') : ''
}

/** The name that some libraries give to the broken rule. */
function codeOf(issue: SchemaIssue): string {
  const { code } = issue as { readonly code?: unknown }
  return typeof code === 'string' && /^[\w.:-]{1,64}$/.test(code) ? code : 'invalid'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
