import type { Limits } from '../plan'
import { malformed } from './malformed'

/** What a document may not contain, not even as a reference (XML 1.0 §2.2). */
export const noCharacter = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u

// A start or end tag; §3.1 keeps `<` out of attribute values, so no markup can hide in one.
const tag = /<\/?[^\s<>"'/=!?][^<>"']*(?:"[^"<]*"[^<>"']*|'[^'<]*'[^<>"']*)*>/y

/**
 * Refuses the XML that is dangerous to parse, in one pass and before anything is built of it.
 *
 * @param text a document without its XML declaration
 * @param limits `depth` levels of values, `keys` and `items` children of one element
 * @throws BadRequest `doctype` for a document type or entity declaration, `instruction` for a processing instruction,
 * `limit` beyond a bound, `syntax` for broken markup
 */
export function checkXml(text: string, limits: Limits): void {
  if (noCharacter.test(text)) throw malformed('The body has a character that XML does not allow', 'character')
  // The children of each open element, counted; the document is at the bottom.
  const children = [0]
  let from = 0
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', from)) {
    if (children.length === 1 && !isBlank(text.slice(from, at))) throw brokenMarkup()
    from = passMarkup(text, at, children, limits)
  }
  if (children.length !== 1 || children[0] !== 1 || !isBlank(text.slice(from))) throw brokenMarkup()
}

/** Whether there is only white space (XML 1.0 §2.3); a no-break space is none. */
export function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text)
}

/** The end of the markup that starts here. */
function passMarkup(text: string, at: number, children: number[], limits: Limits): number {
  if (text.startsWith('<!--', at)) {
    // §2.5: two hyphens end a comment, and nothing else may follow them.
    const hyphens = text.indexOf('--', at + 4)
    if (hyphens < 0 || text[hyphens + 2] !== '>') throw brokenMarkup()
    return hyphens + 3
  }
  if (text.startsWith('<![CDATA[', at)) {
    const end = text.indexOf(']]>', at + 9)
    if (end < 0 || children.length === 1) throw brokenMarkup()
    return end + 3
  }
  if (text[at + 1] === '!') {
    throw malformed('The body has a document type declaration, which is not accepted', 'doctype')
  }
  if (text[at + 1] === '?')
    throw malformed('The body has a processing instruction, which is not accepted', 'instruction')
  return passTag(text, at, children, limits)
}

function passTag(text: string, at: number, children: number[], { depth, keys, items }: Limits): number {
  tag.lastIndex = at
  if (!tag.test(text)) throw brokenMarkup()
  const end = tag.lastIndex
  if (text[at + 1] === '/') {
    if (children.length === 1) throw brokenMarkup()
    children.pop()
    return end
  }
  const parent = children.length - 1
  if (++children[parent]! > keys + items) throw malformed(`An element has more than ${keys + items} children`, 'limit')
  if (text[end - 2] !== '/') {
    // The root is the value, and the innermost element its text: elements go one deeper than values do.
    if (children.length > depth + 1) throw malformed(`The body is nested deeper than ${depth} levels`, 'limit')
    children.push(0)
  }
  return end
}

function brokenMarkup(): Error {
  return malformed('The body is not well-formed XML')
}
