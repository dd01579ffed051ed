import createFinder from 'find-my-way'
import { parsePattern } from './pattern'

/** What a path leads to. */
export interface Found<T> {
  readonly value: T
  readonly params: Record<string, string>
}

/** How paths are compared. */
export interface PathIndexOptions {
  readonly caseSensitive: boolean
  readonly ignoreTrailingSlash: boolean
}

interface Expression<T> {
  readonly regexp: RegExp
  readonly names: readonly string[]
  readonly value: T
}

const noop = (): void => undefined
/** The index asks for the method as well; ours is one tree a method, so it is always this one. */
const only = 'GET'

/**
 * Paths of one method: static ones, parameters and wildcards in a radix tree whose cost does not grow with their number;
 * regular expressions are tried in turn between parameters and wildcards.
 */
export class PathIndex<T> {
  readonly #finder
  readonly #expressions: Expression<T>[] = []
  readonly #caseSensitive: boolean

  constructor(options: PathIndexOptions) {
    this.#caseSensitive = options.caseSensitive
    this.#finder = createFinder({
      caseSensitive: options.caseSensitive,
      ignoreTrailingSlash: options.ignoreTrailingSlash,
      // The bound on a parameter is the bound on a request's head, which Node has.
      maxParamLength: 65_536,
      // Those of mixed segments, which have no repetition of a repetition.
      allowUnsafeRegex: true,
      querystringParser: noQuery,
    })
  }

  /**
   * Adds a path.
   *
   * @param path a pattern, or a RegExp on the whole path
   * @param value what it leads to
   * @param compiled the pattern as a regular expression, with the names of its groups
   */
  add(path: string | RegExp, value: T, compiled: { readonly regexp: RegExp; readonly names: readonly string[] }): void {
    if (path instanceof RegExp) {
      this.#expressions.push({ ...compiled, value })
      return
    }
    for (const { find, captured } of parsePattern(path, this.#caseSensitive)) {
      if (find === undefined) {
        this.#expressions.push({ ...compiled, value })
        return
      }
      const wildcard = find.endsWith('*') ? compiled.names.at(-1) : undefined
      const expression = captured ? compiled : undefined
      this.#finder.on(only, decodePath(find), noop, { value, wildcard, expression } satisfies Leaf<T>)
    }
  }

  /** Where a path leads: static beats parameter beats regular expression beats wildcard. */
  find(path: string): Found<T> | undefined {
    const found = this.#finder.find(only, path)
    if (found === null) return this.#expressions.length > 0 ? this.#tryExpressions(path) : undefined
    const { value, wildcard, expression } = found.store as Leaf<T>
    const params = found.params as Record<string, string>
    if (wildcard !== undefined) {
      const other = this.#expressions.length > 0 ? this.#tryExpressions(path) : undefined
      if (other) return other
      params[wildcard] = params['*'] as string
      delete params['*']
    }
    if (expression) {
      const match = expression.regexp.exec(path)
      return match ? { value, params: captures(match, expression.names) } : undefined
    }
    for (const name in params) if (params[name] === '') return undefined
    return { value, params }
  }

  #tryExpressions(path: string): Found<T> | undefined {
    for (const { regexp, names, value } of this.#expressions) {
      const match = regexp.exec(path)
      if (match) return { value, params: captures(match, names) }
    }
    return undefined
  }
}

interface Leaf<T> {
  readonly value: T
  readonly wildcard: string | undefined
  /** Captures the parameters where the index cannot. */
  readonly expression: { readonly regexp: RegExp; readonly names: readonly string[] } | undefined
}

const empty = {}
function noQuery(): object {
  return empty
}

/** Named groups by name, the others by their number. */
function captures(match: RegExpExecArray, names: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {}
  for (let i = 1; i < match.length; i++) {
    const value = match[i]
    if (value !== undefined) params[names[i - 1] ?? String(i - 1)] = decodeURIComponent(value)
  }
  for (const name of Object.keys(match.groups ?? {})) {
    const value = match.groups?.[name]
    if (value !== undefined) params[name] = decodeURIComponent(value)
  }
  return params
}

/** A pattern may be written with escapes; the index compares decoded paths. */
function decodePath(path: string): string {
  return path.includes('%') ? decodeURI(path) : path
}
