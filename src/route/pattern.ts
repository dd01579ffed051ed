/** A path pattern without its optional parts: one of the paths that it stands for. */
export interface Alternative {
  /** In the notation of the index; `undefined` where only a regular expression can say it. */
  readonly find: string | undefined
  /** Whether the index only finds it: its parameters are to be captured by the pattern's regular expression. */
  readonly captured: boolean
  /** The pattern with its names blanked: two operations of one shape are the same. */
  readonly shape: string
}

type Token = { readonly text: string } | { readonly param: string } | { readonly wildcard: string }

/**
 * Reads a path in the notation of @koa/router 15 (`:name`, `*name`, `{optional}`, `\` escapes) into the plain paths that it
 * stands for.
 *
 * @param path the pattern
 * @param caseSensitive whether the index is to tell upper from lower case
 */
export function parsePattern(path: string, caseSensitive = true): Alternative[] {
  const reader = { at: 0 }
  return readTokens(path, reader).map((tokens) => ({ ...toFind(tokens, caseSensitive), shape: toShape(tokens) }))
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

function toShape(tokens: readonly Token[]): string {
  return normalise(tokens.map((token) => ('text' in token ? token.text : 'param' in token ? ':' : '*')).join(''))
}

const nowhere = { find: undefined, captured: true }

function toFind(tokens: readonly Token[], caseSensitive: boolean): Pick<Alternative, 'find' | 'captured'> {
  let find = ''
  let captured = false
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if ('text' in token) {
      if (token.text === '*') return nowhere
      find += token.text === ':' ? '::' : token.text
    } else if ('wildcard' in token) {
      return at === tokens.length - 1 && find.endsWith('/') ? { find: `${find}*`, captured } : nowhere
    } else {
      const end = tokens.findIndex((each, index) => index > at && 'text' in each && each.text === '/')
      const rest = tokens.slice(at, end < 0 ? tokens.length : end)
      if (rest.some((each) => 'wildcard' in each)) return nowhere
      const plain = rest.length === 1 && /^[A-Za-z]\w*$/.test(token.param)
      find += plain ? `:${token.param}` : mixedSegment(rest, at, caseSensitive)
      captured ||= !plain
      at += rest.length - 1
    }
  }
  return { find: find === '' ? '/' : find, captured }
}

/**
 * A segment from its first parameter on, as one parameter with an expression. A parameter is never empty, and one behind
 * another does not hold the text between them, but may be it: so @koa/router reads it.
 */
function mixedSegment(tokens: readonly Token[], at: number, caseSensitive: boolean): string {
  const last = tokens.findLastIndex((token) => 'param' in token)
  // The index orders expressions by the text behind them, which it compares as it is.
  const inside = caseSensitive ? last + 1 : tokens.length
  let expression = ''
  let between = ''
  for (const token of tokens.slice(0, inside)) {
    if ('text' in token) {
      const text = escapeText(token.text, caseSensitive)
      between += text
      expression += text
    } else if ('param' in token) {
      expression += between === '' ? '[^]+' : `(?:(?:(?!${between})[^])+|${between})`
      between = ''
    }
  }
  const suffix = tokens.slice(inside).map((token) => ('text' in token ? token.text : ''))
  return `:p${at}(${expression})${suffix.join('').replaceAll(':', '::')}`
}

function escapeText(text: string, caseSensitive: boolean): string {
  const lower = text.toLowerCase()
  const upper = text.toUpperCase()
  if (!caseSensitive && lower !== upper) return `(?:${lower}|${upper})`
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function normalise(shape: string): string {
  const plain = safeDecode(shape === '' ? '/' : shape)
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain
}

function safeDecode(text: string): string {
  try {
    return decodeURI(text)
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
