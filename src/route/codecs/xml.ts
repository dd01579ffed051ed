import type { XMLParser } from 'fast-xml-parser'
import { escapePointer } from '../../http/pointer'
import type { Codec, DecodeContext, Limits } from '../plan'
import { decodeText } from './charset'
import { isUnsafeName, malformed } from './malformed'
import { checkXml, isBlank, noCharacter } from './xml-guard'

/**
 * XML without attributes (RFC 7303).
 *
 * The root's content is the value, whatever the root is called. An element of `item`s is a list, and so are siblings of
 * one name. Any other element of elements is an object, and one without is text. `xsi:nil="true"` is null, and
 * `<entry name="…">` a member whose name is no element name. Prefixes and other attributes are passed over. An empty list
 * and an empty object are an empty element, which reads as the empty text.
 */
export const xml: Codec = {
  type: 'application/xml',
  also: ['text/xml', '+xml'],
  text: true,
  decode: decodeXml,
  encode: encodeXml,
}

// --- XML to a value ---------------------------------------------------------------------------------------------------

/** A node as the parser gives it: one key that is the element's name, `#text` or `#cdata`, and `:@` with attributes. */
type Node = Readonly<Record<string, unknown>>

const declaration = /^\s*<\?xml\s[^<>?]*\?>/
const declaredEncoding = /^(?:\xef\xbb\xbf)?<\?xml\s[^<>?]*?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/

let parser: XMLParser | undefined
let validate: ((text: string) => unknown) | undefined

function decodeXml(bytes: Buffer, { charset, parameters, limits }: DecodeContext): unknown {
  // RFC 7303 §3: the charset parameter wins over the declaration.
  const text = decodeText(bytes, parameters.charset === undefined ? charsetIn(bytes, charset) : charset)
  const content = text.replace(declaration, '')
  checkXml(content, limits)
  const root = parse(content).find((node) => textOf(node) === undefined)
  if (!root) throw malformed('The body is not well-formed XML')
  return toValue(root, limits, '')
}

function charsetIn(bytes: Buffer, charset: string): string {
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0
  if (mark === 0xfeff || mark === 0xfffe) return 'utf-16'
  return declaredEncoding.exec(bytes.toString('latin1', 0, 200))?.[1] ?? charset
}

function parse(content: string): Node[] {
  if (!parser || !validate) {
    // Loaded with the first document: most applications never see one.
    const library = require('fast-xml-parser') as typeof import('fast-xml-parser')
    validate = (text) => library.XMLValidator.validate(text)
    parser = new library.XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: '',
      cdataPropName: '#cdata',
      trimValues: false,
      parseTagValue: false,
      processEntities: false,
      // Both are checked here: the depth before, the names after.
      maxNestedTags: Number.MAX_SAFE_INTEGER,
      onDangerousProperty: (name) => name,
    })
  }
  try {
    if (validate(content) === true) return parser.parse(content) as Node[]
  } catch {
    // The parser refuses some names by itself, and its messages quote the document.
  }
  throw malformed('The body is not well-formed XML')
}

function toValue(element: Node, limits: Limits, pointer: string): unknown {
  const children = childrenOf(element)
  const elements = children.filter((node) => textOf(node) === undefined)
  const text = children.map((node) => textOf(node) ?? '').join('')
  if (elements.length === 0) return text === '' && isNil(element) ? null : text
  if (!isBlank(text)) throw malformed('An element has both text and elements', 'syntax', pointer)
  if (elements.every((node) => localName(node) === 'item')) {
    if (elements.length > limits.items) throw malformed(`A list has more than ${limits.items} items`, 'limit', pointer)
    return elements.map((node, index) => toValue(node, limits, `${pointer}/${index}`))
  }
  return toObject(elements, limits, pointer)
}

function toObject(elements: readonly Node[], limits: Limits, pointer: string): unknown {
  const members = new Map<string, Node[]>()
  for (const node of elements) {
    const name = memberName(node)
    if (isUnsafeName(name)) throw malformed('An element has a name that is not accepted', 'unknown', pointer)
    const known = members.get(name)
    if (known) known.push(node)
    else members.set(name, [node])
  }
  if (members.size > limits.keys) throw malformed(`An element has more than ${limits.keys} members`, 'limit', pointer)
  const object = Object.create(null) as Record<string, unknown>
  for (const [name, nodes] of members) {
    if (nodes.length > limits.items) throw malformed(`A list has more than ${limits.items} items`, 'limit', pointer)
    const at = `${pointer}/${escapePointer(name)}`
    object[name] =
      nodes.length === 1
        ? toValue(nodes[0]!, limits, at)
        : nodes.map((node, index) => toValue(node, limits, `${at}/${index}`))
  }
  return object
}

function elementName(node: Node): string {
  return Object.keys(node).find((key) => key !== ':@') ?? ''
}

function localName(node: Node): string {
  const name = elementName(node)
  return name.slice(name.indexOf(':') + 1)
}

function memberName(node: Node): string {
  const name = localName(node)
  const entry = name === 'entry' ? attribute(node, 'name') : undefined
  return entry === undefined ? name : unescape(entry)
}

function childrenOf(node: Node): Node[] {
  return node[elementName(node)] as Node[]
}

function isNil(node: Node): boolean {
  const nil = attribute(node, 'xsi:nil')
  return nil === 'true' || nil === '1'
}

function attribute(node: Node, name: string): string | undefined {
  const attributes = node[':@'] as Record<string, string> | undefined
  return attributes && Object.hasOwn(attributes, name) ? attributes[name] : undefined
}

/** The text of a text node; none for an element. */
function textOf(node: Node): string | undefined {
  if (typeof node['#text'] === 'string') return unescape(node['#text'])
  const cdata = node['#cdata'] as ReadonlyArray<Readonly<Record<'#text', string>>> | undefined
  return cdata?.map((part) => part['#text']).join('')
}

const standardEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescape(text: string): string {
  return text.includes('&') ? text.replace(/&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(\w+));|&/g, fromReference) : text
}

function fromReference(_all: string, hex?: string, decimal?: string, name?: string): string {
  if (name !== undefined && Object.hasOwn(standardEntities, name)) return standardEntities[name]!
  const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal)
  // A surrogate has a code point and is no character of XML (§2.2).
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : ''
  if (character === '' || noCharacter.test(character)) throw malformed('The body refers to an unknown entity', 'entity')
  return character
}

// --- A value to XML ---------------------------------------------------------------------------------------------------

const maxDepth = 500
const noCharacters = new RegExp(noCharacter, 'gu')
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

// Namespaces in XML §4: a name without colon, of the Basic Multilingual Plane; `xml…` is reserved (XML 1.0 §2.3).
const nameStart =
  'A-Za-z_\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C-\\u200D\\u2070-\\u218F' +
  '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD'
const elementNames = new RegExp(
  `^(?![Xx][Mm][Ll])[${nameStart}][\\u0300-\\u036F\\u00B7\\u203F\\u2040.0-9${nameStart}-]*$`,
)

function encodeXml(value: unknown): string {
  const namespace = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
  return `<?xml version="1.0" encoding="UTF-8"?>\n${toElement('response', ` ${namespace}`, value, 0)}`
}

function toElement(name: string, attributes: string, value: unknown, depth: number): string {
  if (depth > maxDepth) throw new TypeError('The value is nested too deeply for XML, or refers to itself')
  const plain = fromJson(value)
  if (isAbsent(plain)) return `<${name}${attributes} xsi:nil="true"/>`
  const content = typeof plain === 'object' ? toElements(plain as object, depth + 1) : escapeText(`${plain as string}`)
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`
}

function toElements(value: object, depth: number): string {
  if (Array.isArray(value)) return value.map((item) => toElement('item', '', item, depth)).join('')
  let elements = ''
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined || typeof member === 'function' || typeof member === 'symbol') continue
    const isElementName = elementNames.test(name) && name !== 'item' && name !== 'entry'
    elements += isElementName
      ? toElement(name, '', member, depth)
      : toElement('entry', ` name="${escapeAttribute(name)}"`, member, depth)
  }
  return elements
}

/** A date and its like as what they are in JSON. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('toJSON' in value)) return value
  return typeof value.toJSON === 'function' ? (value as { toJSON(): unknown }).toJSON() : value
}

// As in JSON, a number that is none is null, and so is what cannot be written at all.
function isAbsent(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  return value === null || value === undefined || typeof value === 'function' || typeof value === 'symbol'
}

// A bare carriage return would be read as a line feed (XML 1.0 §2.11), a tab or line feed in an attribute as a space (§3.3.3).
function escapeText(text: string): string {
  return text.replace(noCharacters, '\uFFFD').replace(/[&<>\r]/g, (character) => escapes[character]!)
}

function escapeAttribute(text: string): string {
  return text.replace(noCharacters, '\uFFFD').replace(/[&<>"\t\n\r]/g, (character) => escapes[character]!)
}
