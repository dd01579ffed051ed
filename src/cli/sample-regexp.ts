import { wholePath } from '../route/router-table'

/** Characters to choose from, where an expression leaves a choice. */
const alphabets = ['7aZ_-.~/ ', 'b4Q-_~./ ', 'zK09._-~/ '] as const

/** Characters of a sample at the most: an expression may try a long one for ages. */
const longest = 200

/** The rest of ASCII, for classes of unusual characters. */
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))

interface Reader {
  readonly source: string
  readonly flags: string
  readonly alphabet: string
  at: number
}

/**
 * Paths that a RegExp takes, few and each another one; none where it holds what cannot be made up here (references back,
 * conditions on what follows). Whatever comes out was tried.
 *
 * @param pattern a path of a route: it speaks of the whole path
 *
 * @example
 * sampleRegExp(/\/items\/\d{3}/) // ['/items/777', '/items/444', '/items/000']
 */
export function sampleRegExp(pattern: RegExp): string[] {
  const whole = wholePath(pattern)
  const { source, flags } = pattern
  const texts = alphabets.flatMap((alphabet) => readChoice({ source, flags, alphabet, at: 0 }) ?? [])
  return [...new Set(texts)].filter((text) => whole.test(text))
}

/** One of several alternatives, up to the end of a group or of all. */
function readChoice(reader: Reader): string | undefined {
  const choices: Array<string | undefined> = [readSequence(reader)]
  while (reader.source[reader.at] === '|') {
    reader.at++
    choices.push(readSequence(reader))
  }
  return choices.find((text) => text !== undefined)
}

function readSequence(reader: Reader): string | undefined {
  let text: string | undefined = ''
  while (reader.at < reader.source.length && !/[|)]/.test(reader.source[reader.at] as string)) {
    const atom = readAtom(reader)
    const count = readCount(reader)
    text = text === undefined || atom === undefined ? undefined : text + atom.repeat(count)
    if (text !== undefined && text.length > longest) text = undefined
  }
  return text
}

/** How often: as seldom as possible, but once where it may be. */
function readCount(reader: Reader): number {
  const quantifier = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(reader.source.slice(reader.at))
  reader.at += quantifier?.[0].length ?? 0
  return quantifier?.[1] === undefined ? 1 : Math.min(Number(quantifier[1]), longest + 1)
}

const atoms = [
  /^\((?:\?:|\?<[^=!>]+>)?(?!\?)/,
  /^[\^$]/,
  /^\\[bB]/,
  /^\[(?:\\.|[^\]\\])*\]/,
  /^\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|u\{[\da-fA-F]+\}|[pP]\{[^}]*\}|c[A-Za-z]|[^\dk])/,
  /^[^\\()[\]]/u,
] as const

function readAtom(reader: Reader): string | undefined {
  const rest = reader.source.slice(reader.at)
  const kind = atoms.findIndex((atom) => atom.test(rest))
  const [token] = (kind < 0 ? undefined : atoms[kind]?.exec(rest)) ?? []
  if (token === undefined) {
    // References, and what looks ahead or behind: nothing comes of this expression.
    reader.at = reader.source.length
    return undefined
  }
  reader.at += token.length
  if (kind === 1 || kind === 2) return ''
  if (kind > 2) return chooseCharacter(token, reader)
  const inner = readChoice(reader)
  reader.at++
  return inner
}

/** The character itself, or one of those that the token stands for. */
function chooseCharacter(token: string, { alphabet, flags }: Reader): string | undefined {
  if (token !== '.' && token.length === 1) return token
  if (/^\\[^\w]$/.test(token)) return token[1]
  const [, code] = /^\\[xu]\{?([\da-fA-F]+)\}?$/.exec(token) ?? []
  if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16))
  const expression = new RegExp(`^(?:${token})$`, flags.replace(/[gy]/g, ''))
  return [...alphabet, ...printable].find((each) => expression.test(each))
}
