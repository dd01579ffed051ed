// As many characters in common with a text of the input are no accident.
const run = 8

// What is longer than any sentence is a quotation.
const longest = 400
const readAtMost = 4_000

const kind =
  '(?:an? )?(?:undefined|missing|null|nan|string|number|integer|bigint|boolean|object|array|date|map|set|symbol|function|file)'

/** Where the libraries begin to tell what they were given. The kind of it may be told. */
const quotations: readonly RegExp[] = [
  new RegExp(` ?\\((?:was|got|received) (?!${kind}\\W*$).*$`, 'is'),
  new RegExp(`[\\s,;:.]*\\b(?:but |instead )?(?:received|got):? (?!${kind}\\W*$).*$`, 'is'),
]

/** A value in parentheses before a list of what it should be. */
const apposition = / ?\([^\n]*\) must be/

/**
 * A schema's message without what it quotes of the value: libraries write `… (was "secret")` or `… but received
 * "secret"`, and so may authors. It is cut where the quotation begins.
 *
 * @param value that the message is about
 * @returns nothing where the message still holds the value, or no more than its quotation
 *
 * @example
 * withoutQuotation('b must be an email address (was "secret")', 'secret') // 'b must be an email address'
 */
export function withoutQuotation(message: string, value: unknown): string | undefined {
  let told = message.slice(0, readAtMost)
  for (const quotation of quotations) told = told.replace(quotation, '')
  told = told.replace(apposition, ' must be').trim()
  if (told === '' || holds(told, value)) return undefined
  return told.length > longest ? `${told.slice(0, longest)}…` : told
}

/** Whether a scalar stands in a message: a text as it is or escaped, one shorter than a word only between quotes. */
function holds(message: string, value: unknown): boolean {
  if (typeof value === 'string') {
    if (value === '' || value.length > message.length) return false
    const escaped = JSON.stringify(value).slice(1, -1)
    if (value.length > 2) return message.includes(value) || message.includes(escaped)
    return new RegExp(`["'\`(\\[](?:${literal(value)}|${literal(escaped)})["'\`)\\]]`).test(message)
  }
  if (typeof value !== 'number' && typeof value !== 'boolean') return false
  return new RegExp(`(?<![\\w.])${literal(String(value))}(?!\\w|\\.\\d)`).test(message)
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/**
 * The messages that have eight characters in a row in common with a text of the input, wherever in it that stands: an
 * error of a parser quotes an excerpt, a rule across members quotes another one. The cost is that of reading the input
 * once, however many messages there are.
 */
export function quotingMessages(messages: ReadonlySet<string>, input: unknown): ReadonlySet<string> {
  const parts = partsOf(messages)
  const hashes = new Set<number>()
  for (const part of parts.keys()) hashes.add(hashOf(part))
  const quoting = new Set<string>()

  function readText(text: string): void {
    const folded = text.toLowerCase()
    let hash = 0
    for (let end = 0; end < folded.length; end++) {
      hash = shift(hash, folded.charCodeAt(end))
      if (end + 1 < run || !hashes.has(hash)) continue
      for (const message of parts.get(folded.slice(end + 1 - run, end + 1)) ?? []) quoting.add(message)
    }
  }

  function read(value: unknown): void {
    if (typeof value === 'string') readText(value)
    else if (typeof value === 'number') readText(String(value))
    else if (Array.isArray(value)) value.forEach(read)
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value))
      Object.values(value).forEach(read)
  }

  if (parts.size > 0) read(input)
  return quoting
}

/** Every run of characters of the messages, with those that hold it. */
function partsOf(messages: ReadonlySet<string>): Map<string, string[]> {
  const parts = new Map<string, string[]>()
  for (const message of messages) {
    const folded = message.toLowerCase()
    for (let start = 0; start + run <= folded.length; start++) {
      const part = folded.slice(start, start + run)
      const known = parts.get(part)
      if (!known) parts.set(part, [message])
      else if (known[known.length - 1] !== message) known.push(message)
    }
  }
  return parts
}

/** Four bits a character: of eight, the last ones, 32 bits know; the one before them is shifted out. */
function shift(hash: number, code: number): number {
  return (hash << 4) ^ code
}

function hashOf(part: string): number {
  let hash = 0
  for (let index = 0; index < part.length; index++) hash = shift(hash, part.charCodeAt(index))
  return hash
}
