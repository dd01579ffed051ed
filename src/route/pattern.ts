/** One segment of a path pattern, between two slashes. */
export type Segment =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'mixed'; readonly expression: string; readonly weight: number; readonly shape: string }
  | { readonly kind: 'wildcard'; readonly name: string }

/** A path pattern without its optional parts: one of the paths that it stands for. */
export interface Alternative {
  /** Segment by segment; `undefined` where only a regular expression can say it. */
  readonly segments: readonly Segment[] | undefined
  /** Whether parameters share a segment with text: they are captured by the pattern's regular expression. */
  readonly mixed: boolean
  /** The pattern with its names blanked: two operations of one shape are the same. */
  readonly shape: string
}

type Token = { readonly text: string } | { readonly param: string } | { readonly wildcard: string }

/**
 * Reads a path in the notation of @koa/router 15 (`:name`, `*name`, `{optional}`, `\` escapes) into the plain paths that it
 * stands for.
 *
 * @example
 * parsePattern('/a{/:b}').map(({ shape }) => shape) // ['/a/:', '/a']
 */
export function parsePattern(path: string): Alternative[] {
  if (isPlain(path)) return [fromPlain(path)]
  return readTokens(path, { at: 0 }).map(fromTokens)
}

/** Whether each segment is a word or one parameter: most paths are of this form. */
export function isPlain(path: string): boolean {
  return plainPath.test(path)
}

const plainPath = /^(?:\/(?:[\w.~-]+|:[A-Za-z_]\w*))+$/

/** The shapes of a path alone. */
export function shapesOf(path: string): string[] {
  return isPlain(path) ? [path.replace(/:\w+/g, ':')] : parsePattern(path).map(({ shape }) => shape)
}

function fromPlain(path: string): Alternative {
  const segments = path
    .slice(1)
    .split('/')
    .map((text): Segment => (text.startsWith(':') ? { kind: 'param', name: text.slice(1) } : { kind: 'static', text }))
  return { segments, mixed: false, shape: toShape(segments) }
}

/** All token lists from here to the end of the path or group. */
function readTokens(path: string, reader: { at: number }): Token[][] {
  let lists: Token[][] = [[]]
  const add = (token: Token): void => {
    for (const list of lists) list.push(token)
  }
  while (reader.at < path.length) {
    const char = path[reader.at] as string
    if (char === '}') break
    reader.at++
    if (char === '{') {
      const inner = readTokens(path, reader)
      reader.at++
      lists = lists.flatMap((list) => [...inner.map((tokens) => [...list, ...tokens]), list])
    } else if (char === ':' || char === '*') {
      const name = readName(path, reader)
      add(char === ':' ? { param: name } : { wildcard: name })
    } else {
      if (char === '\\') reader.at++
      add({ text: char === '\\' ? (path[reader.at - 1] ?? '') : char })
    }
  }
  return lists
}

function readName(path: string, reader: { at: number }): string {
  const rest = path.slice(reader.at)
  const match = /^(?:"([^"]*)"|([\p{ID_Start}$_][\p{ID_Continue}$]*))/u.exec(rest)
  reader.at += match?.[0].length ?? 0
  return match?.[1] ?? match?.[2] ?? ''
}

function fromTokens(tokens: readonly Token[]): Alternative {
  const parts = splitSegments(tokens)
  const segments = parts.map((part, index) => toSegment(part, index === parts.length - 1))
  const known = segments.every((segment) => segment !== undefined) ? segments : undefined
  return {
    segments: known,
    mixed: known?.some(({ kind }) => kind === 'mixed') ?? false,
    shape: toShape(known ?? parts),
  }
}

function splitSegments(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if ('text' in token && token.text === '/') parts.push([])
    else parts.at(-1)?.push(token)
  }
  // What stands before the first slash is nothing.
  return parts.slice(1)
}

/** A wildcard is one only as the whole of the last segment. */
function toSegment(tokens: readonly Token[], isLast: boolean): Segment | undefined {
  const [first, second] = tokens
  if (tokens.some((token) => 'wildcard' in token)) {
    return isLast && first && !second && 'wildcard' in first ? { kind: 'wildcard', name: first.wildcard } : undefined
  }
  if (tokens.every((token) => 'text' in token)) return { kind: 'static', text: safeDecode(textOf(tokens)) }
  if (first && !second && 'param' in first) return { kind: 'param', name: first.param }
  return { kind: 'mixed', expression: mixedExpression(tokens), weight: textOf(tokens).length, shape: blank(tokens) }
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => ('text' in token ? token.text : '')).join('')
}

/**
 * A segment with parameters in it. A parameter is never empty, and one behind another does not hold the text between
 * them, but may be it: so @koa/router reads it, and no input makes it try again and again.
 */
function mixedExpression(tokens: readonly Token[]): string {
  let expression = ''
  let between = ''
  for (const token of tokens) {
    if ('text' in token) {
      const text = token.text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
      between += text
      expression += text
    } else if ('param' in token) {
      expression += between === '' || expression === between ? '[^]+' : `(?:(?:(?!${between})[^])+|${between})`
      between = ''
    }
  }
  return `^${expression}$`
}

function toShape(segments: ReadonlyArray<Segment | Token[]>): string {
  const shape = segments
    .map((segment) => `/${Array.isArray(segment) ? blank(segment) : blankSegment(segment)}`)
    .join('')
  return shape === '' ? '/' : shape
}

function blankSegment(segment: Segment): string {
  if (segment.kind === 'static') return segment.text
  if (segment.kind === 'mixed') return segment.shape
  return segment.kind === 'param' ? ':' : '*'
}

function blank(tokens: readonly Token[]): string {
  return tokens.map((token) => ('text' in token ? token.text : 'param' in token ? ':' : '*')).join('')
}

function safeDecode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Compares two shapes: negative where the first is more specific. Static before mixed before parameter before wildcard. */
export function compareShapes(left: string, right: string): number {
  const a = left.split('/')
  const b = right.split('/')
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = rank(a[i]) - rank(b[i])
    if (difference !== 0) return difference
  }
  return 0
}

function rank(segment: string | undefined): number {
  if (segment === undefined) return 0
  if (segment.includes('*')) return 3
  if (segment === ':') return 2
  return segment.includes(':') ? 1 : 0
}
