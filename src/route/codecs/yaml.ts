import type { Codec, Limits } from '../plan'
import { decodeText } from './charset'
import { malformed } from './malformed'

/** What Kumu uses of the package `yaml`. */
interface YamlPackage {
  readonly Parser: new () => { parse(text: string): Iterable<Token> }
  readonly Composer: new (options: object) => { compose(tokens: Iterable<Token>): Iterable<YamlDocument> }
  stringify(value: unknown, options: object): string
}

/** A node of the concrete syntax: a document, a collection, or something with nothing inside. */
interface Token {
  readonly type: string
  /** What stands before a document's value; of a flow collection its opening bracket. */
  readonly start?: Mark | readonly Mark[]
  readonly value?: Token
  readonly items?: readonly Entry[]
}

interface Entry {
  readonly start?: readonly Mark[]
  readonly key?: Token | null
  readonly sep?: readonly Mark[]
  readonly value?: Token
}

interface Mark {
  readonly type: string
  readonly source?: string
}

interface YamlDocument {
  readonly errors: readonly unknown[]
  readonly warnings: readonly unknown[]
  toJS(options: object): unknown
}

// The core schema and nothing beside it: no dates, sets or binaries, and `<<` is a plain key.
const schema = { version: '1.2', schema: 'core', merge: false, resolveKnownTags: false }
const strict = { ...schema, strict: true, uniqueKeys: true, stringKeys: true, prettyErrors: false, logLevel: 'silent' }

/**
 * The codec of `application/yaml`, to add to `codecs`; it needs the package `yaml`.
 *
 * Only the core schema is read: a tag of any other, a second document or a key that is no string is refused.
 *
 * @param options `aliases`: how many values aliases may stand for altogether; default 100
 * @throws Error where the package is not installed
 * @see RFC 9512
 *
 * @example
 * createApp({ resources: [Employees], codecs: [yaml()] })
 */
export function yaml(options: { readonly aliases?: number } = {}): Codec {
  const { aliases = 100 } = options
  const library = load()
  return {
    type: 'application/yaml',
    also: ['text/yaml', 'application/x-yaml', '+yaml'],
    decode: (bytes, { charset, limits }) => parseYaml(library, decodeText(bytes, charset), aliases, limits),
    encode: (value) => library.stringify(value, { ...schema, aliasDuplicateObjects: false }),
  }
}

function parseYaml(library: YamlPackage, text: string, aliases: number, limits: Limits): unknown {
  const tokens = read(() => [...new library.Parser().parse(text)])
  // The composer recurses, its search for repeated keys is quadratic, and it words every fault: nothing reaches it
  // unmeasured.
  const isOne = tokens.filter(({ type }) => type === 'document').length <= 1
  if (!isOne || tokens.some(({ type }) => type === 'error')) throw refused()
  for (const token of tokens) checkToken(token, limits)
  const value = read(() => compose([...new library.Composer(strict).compose(tokens)], aliases))
  checkAcyclic(value, limits.depth)
  return value
}

function compose(documents: readonly YamlDocument[], aliases: number): unknown {
  const [document] = documents
  if (!document) return null
  // A tag that the schema lacks is only a warning to the composer.
  if (documents.length > 1 || document.errors.length > 0 || document.warnings.length > 0) throw new Error('refused')
  return document.toJS({ maxAliasCount: aliases })
}

function read<T>(step: () => T): T {
  try {
    return step()
  } catch {
    throw refused()
  }
}

function refused(): Error {
  return malformed('The body is not one YAML document of the core schema, or repeats too much through aliases')
}

function checkToken(root: Token, { depth, keys, items }: Limits): void {
  const open: Array<readonly [token: Token, level: number]> = [[root, 0]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [token, level] = next
    checkProperties(token.start)
    if (token.type === 'document' && token.value) open.push([token.value, level])
    if (!token.items) continue
    if (level >= depth) throw malformed(`The body is nested deeper than ${depth} levels`, 'limit')
    const most = isMap(token) ? keys : items
    // The last entry of a flow collection may be the one that its closing bracket leaves empty.
    if (token.items.length > most + 1) throw malformed(`A collection has more than ${most} entries`, 'limit')
    for (const { start, key, sep, value } of token.items) {
      checkProperties(start)
      checkProperties(sep)
      if (key) open.push([key, level + 1])
      if (value) open.push([value, level + 1])
    }
  }
}

/** A node has one anchor and one tag (YAML 1.2.2 §6.9); of a key and its map there may be two in a row. */
function checkProperties(marks: Mark | readonly Mark[] | undefined): void {
  if (!Array.isArray(marks)) return
  const properties = (marks as readonly Mark[]).filter(({ type }) => type === 'anchor' || type === 'tag')
  if (properties.length > 4) throw refused()
}

function isMap({ type, start }: Token): boolean {
  return type === 'block-map' || (start !== undefined && 'source' in start && start.source === '{')
}

/** An alias inside its own anchor makes a value that no tree is. */
function checkAcyclic(value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null) return
  if (levels === 0) throw malformed('The body is nested too deeply, or refers to itself', 'limit')
  for (const member of Object.values(value)) checkAcyclic(member, levels - 1)
}

function load(): YamlPackage {
  try {
    return require('yaml') as YamlPackage
  } catch (cause) {
    throw new Error('The YAML codec needs the package "yaml": npm install yaml', { cause })
  }
}
