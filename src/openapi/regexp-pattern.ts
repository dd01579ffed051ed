/**
 * A regular expression as a `pattern` of JSON Schema: flags are written out, and what the `u` mode of validators refuses
 * is put otherwise (JSON Schema Core §6.4).
 *
 * @returns nothing where it cannot be said without its flags
 *
 * @example
 * toPattern(/^[a-f]+$/i) // '^[a-fA-F]+$'
 */
export function toPattern(expression: RegExp): string | undefined {
  const { source, flags } = expression
  if (flags.includes('m') || flags.includes('y') || flags.includes('v')) return undefined
  const written = rewrite(source, flags.includes('i'), flags.includes('s'))
  if (written === undefined) return undefined
  try {
    new RegExp(written, 'u')
    return written
  } catch {
    return undefined
  }
}

/** The same for an expression that has to match the text as a whole. */
export function toWholePattern(expression: RegExp): string | undefined {
  const anchored = /^\^[^|]*\$$/.test(expression.source)
  const pattern = toPattern(expression)
  return pattern === undefined || anchored ? pattern : `^(?:${pattern})$`
}

const letter = /^[A-Za-z]$/
/** What may be escaped in `u` mode outside a class, beside letters and digits. */
const syntax = /[\^$\\.*+?()[\]{}|/]/

/** Walks an expression and writes out `i` and `s`; nothing where a letter's other case cannot be told. */
function rewrite(source: string, ignoreCase: boolean, dotAll: boolean): string | undefined {
  let text = ''
  let inClass = false
  for (let at = 0; at < source.length; at++) {
    const char = source[at] as string
    if (char === '\\') {
      const escape = escapeAt(source, at)
      // Of an escaped letter's code nobody knows the case.
      if (ignoreCase && /^\\[uxpPk]/.test(escape)) return undefined
      text += plainly(escape, inClass)
      at += escape.length - 1
    } else if (inClass) {
      inClass = char !== ']'
      const range = ignoreCase ? /^([A-Za-z])-([A-Za-z])/.exec(source.slice(at)) : null
      if (range) {
        text += bothRanges(range[1] as string, range[2] as string)
        at += 2
      } else if (ignoreCase && source[at + 1] === '-' && inClass && /^.-[^\]]/.test(source.slice(at))) {
        // A range from one kind of character to another: `[0-z]`.
        if (!/^[0-9]-[0-9]/.test(source.slice(at))) return undefined
        text += source.slice(at, at + 3)
        at += 2
      } else text += ignoreCase && letter.test(char) ? bothCases(char) : char
    } else if (char === '[') {
      inClass = true
      text += char
    } else if (char === '(' && source[at + 1] === '?') {
      const group = /^\(\?(?:<[^=!>]+>|<?[=!]|:)/.exec(source.slice(at))?.[0]
      if (group === undefined) return undefined
      text += group
      at += group.length - 1
    } else if (char === '.' && dotAll) text += '[^]'
    else text += ignoreCase && letter.test(char) ? `[${bothCases(char)}]` : char
  }
  return text
}

/** `\n`, `\u00e9`, `\p{L}`, `\k<name>`: all that belongs to one escape. */
function escapeAt(source: string, at: number): string {
  return /^\\(?:u\{[^}]*\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[pP]\{[^}]*\}|k<[^>]*>|c[A-Za-z]|[^])/.exec(
    source.slice(at),
  )?.[0] as string
}

/** An escape that is not needed is a mistake in `u` mode. */
function plainly(escape: string, inClass: boolean): string {
  const char = escape[1] as string
  if (escape.length > 2 || /[A-Za-z0-9]/.test(char) || syntax.test(char)) return escape
  return inClass && char === '-' ? escape : char
}

function bothCases(char: string): string {
  return `${char.toLowerCase()}${char.toUpperCase()}`
}

function bothRanges(from: string, to: string): string {
  const own = `${from}-${to}`
  const [lower, upper] = [own.toLowerCase(), own.toUpperCase()]
  // `[A-z]` holds both cases already.
  if (own !== lower && own !== upper) return own
  return `${lower}${upper}`
}
