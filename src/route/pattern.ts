/** A path pattern without its optional parts: one of the paths that it stands for. */
export interface Alternative {
  /** In the notation of the index; `undefined` where only a regular expression can say it. */
  readonly find: string | undefined
  /** The pattern with its names blanked: two operations of one shape are the same. */
  readonly shape: string
}

type Token = { readonly text: string } | { readonly param: string } | { readonly wildcard: string }

/**
 * Reads a path in the notation of @koa/router 15 (`:name`, `*name`, `{optional}`, `\` escapes) into the plain paths that it
 * stands for.
 */
export function parsePattern(path: string): Alternative[] {
  const reader = { at: 0 }
  return readTokens(path, reader).map(toAlternative)
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

function toAlternative(tokens: readonly Token[]): Alternative {
  let find: string | undefined = ''
  let shape = ''
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1]
    if ('text' in token) {
      shape += token.text
      find = find === undefined || token.text === '*' ? undefined : find + (token.text === ':' ? '::' : token.text)
    } else if ('param' in token) {
      shape += ':'
      // The index ends a name at a dash, a dot or a slash; what else follows a parameter is left to a regular expression.
      const ends = !next || ('text' in next && /^[-./]$/.test(next.text))
      find = find !== undefined && ends && /^[A-Za-z]\w*$/.test(token.param) ? `${find}:${token.param}` : undefined
    } else {
      shape += '*'
      find = find !== undefined && !next && find.endsWith('/') ? `${find}*` : undefined
    }
  }
  return { find: find === '' ? '/' : find, shape: normalise(shape) }
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
