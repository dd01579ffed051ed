import { parsePattern, type Segment } from './pattern'

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

/** A pattern as a regular expression, with the names of its groups. */
export interface CompiledPattern {
  readonly regexp: RegExp
  readonly names: readonly string[]
}

interface Leaf<T> {
  readonly value: T
  /** The names of the parameters on the way, in order. */
  readonly names: readonly string[]
  /** Captures the parameters where the way alone cannot. */
  readonly expression: CompiledPattern | undefined
  /** Whether it takes the rest of the path, whatever that is. */
  readonly wild: boolean
}

interface Expression<T> extends CompiledPattern {
  readonly value: T
}

/** A place between two slashes. */
class Node<T> {
  statics: Map<string, Node<T>> | undefined
  /** The heaviest first: those with the most text. */
  mixed: Array<{ readonly regexp: RegExp; readonly weight: number; readonly node: Node<T> }> | undefined
  param: Node<T> | undefined
  leaf: Leaf<T> | undefined
  wildcard: Leaf<T> | undefined
}

/** What one search has caught on its way. */
interface Catch {
  readonly path: string
  readonly values: string[]
}

/**
 * Paths of one method as a tree of their segments: its cost does not grow with their number. Regular expressions are tried
 * in turn between parameters and wildcards.
 */
export class PathIndex<T> {
  readonly #root = new Node<T>()
  readonly #expressions: Expression<T>[] = []
  readonly #caseSensitive: boolean
  readonly #ignoreTrailingSlash: boolean

  constructor({ caseSensitive, ignoreTrailingSlash }: PathIndexOptions) {
    this.#caseSensitive = caseSensitive
    this.#ignoreTrailingSlash = ignoreTrailingSlash
  }

  /**
   * Adds a path.
   *
   * @param path a pattern, or a RegExp on the whole path
   * @param value what it leads to
   * @param compiled the pattern as a regular expression
   */
  add(path: string | RegExp, value: T, compiled: CompiledPattern): void {
    const alternatives = path instanceof RegExp ? [] : parsePattern(path)
    if (alternatives.length === 0 || alternatives.some(({ segments }) => !segments)) {
      this.#expressions.push({ regexp: compiled.regexp, names: compiled.names, value })
      return
    }
    for (const { segments = [], mixed } of alternatives) {
      this.#plant(segments, value, mixed ? compiled : undefined)
    }
  }

  #plant(segments: readonly Segment[], value: T, expression: CompiledPattern | undefined): void {
    let node = this.#root
    const names: string[] = []
    const leaf: Leaf<T> = { value, names, expression, wild: false }
    for (const segment of this.#withoutTrailing(segments)) {
      if (segment.kind === 'wildcard') {
        names.push(segment.name)
        node.wildcard ??= { ...leaf, wild: true }
        return
      }
      if (segment.kind === 'param') names.push(segment.name)
      node = this.#next(node, segment)
    }
    node.leaf ??= leaf
  }

  #withoutTrailing(segments: readonly Segment[]): readonly Segment[] {
    const last = segments.at(-1)
    const trailing = segments.length > 1 && last?.kind === 'static' && last.text === ''
    return trailing && this.#ignoreTrailingSlash ? segments.slice(0, -1) : segments
  }

  #next(node: Node<T>, segment: Exclude<Segment, { kind: 'wildcard' }>): Node<T> {
    if (segment.kind === 'param') return (node.param ??= new Node())
    if (segment.kind === 'static') {
      const key = this.#caseSensitive ? segment.text : segment.text.toLowerCase()
      node.statics ??= new Map()
      const known = node.statics.get(key)
      if (known) return known
      const fresh = new Node<T>()
      node.statics.set(key, fresh)
      return fresh
    }
    const regexp = new RegExp(segment.expression, this.#caseSensitive ? '' : 'i')
    node.mixed ??= []
    const same = node.mixed.find((each) => each.regexp.source === regexp.source)
    if (same) return same.node
    const fresh = { regexp, weight: segment.weight, node: new Node<T>() }
    node.mixed.push(fresh)
    node.mixed.sort((a, b) => b.weight - a.weight)
    return fresh.node
  }

  /**
   * Where a path leads: static beats mixed beats parameter beats regular expression beats wildcard.
   *
   * @param path as it came, undecoded; its escapes are well-formed
   */
  find(path: string): Found<T> | undefined {
    const cut = this.#ignoreTrailingSlash && path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
    const values: string[] = []
    const leaf = this.#walk(this.#root, { path: cut, values }, 1, 0)
    if (this.#expressions.length > 0 && (!leaf || leaf.wild)) {
      const expression = this.#express(path)
      if (expression) return expression
    }
    return leaf && { value: leaf.value, params: toParams(leaf, values, path) }
  }

  /** Segment by segment, the most specific way first; where it ends, back to the next. */
  #walk(node: Node<T>, caught: Catch, start: number, depth: number): Leaf<T> | undefined {
    const { path } = caught
    if (start > path.length) return node.leaf
    const segment = segmentAt(path, start)
    const next = start + segment.length + 1
    const text = segment.includes('%') ? decodeURIComponent(segment) : segment
    const child = node.statics?.get(this.#caseSensitive ? text : text.toLowerCase())
    const found = child && this.#walk(child, caught, next, depth)
    if (found) return found
    if (segment !== '') {
      const deeper = this.#walkParameters(node, caught, segment, text, next, depth)
      if (deeper) return deeper
    }
    if (!node.wildcard || start === path.length) return undefined
    caught.values[depth] = decodeURIComponent(path.slice(start))
    return node.wildcard
  }

  #walkParameters(
    node: Node<T>,
    caught: Catch,
    segment: string,
    text: string,
    next: number,
    depth: number,
  ): Leaf<T> | undefined {
    if (node.mixed) {
      for (const { regexp, node: inner } of node.mixed) {
        const found = regexp.test(segment) ? this.#walk(inner, caught, next, depth) : undefined
        if (found) return found
      }
    }
    if (!node.param) return undefined
    caught.values[depth] = text
    return this.#walk(node.param, caught, next, depth + 1)
  }

  #express(path: string): Found<T> | undefined {
    for (const { regexp, names, value } of this.#expressions) {
      const match = regexp.exec(path)
      if (match) return { value, params: captures(match, names) }
    }
    return undefined
  }
}

function segmentAt(path: string, start: number): string {
  const slash = path.indexOf('/', start)
  return slash < 0 ? path.slice(start) : path.slice(start, slash)
}

function toParams<T>({ names, expression }: Leaf<T>, values: readonly string[], path: string): Record<string, string> {
  const match = expression?.regexp.exec(path)
  if (expression && match) return captures(match, expression.names)
  const params: Record<string, string> = {}
  for (let i = 0; i < names.length; i++) params[names[i] as string] = values[i] as string
  return params
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
