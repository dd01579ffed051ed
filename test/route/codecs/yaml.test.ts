import { contextOf, decode, thrownBy } from './context'

/** What the stand-in for the package makes of a body, which is JSON here. */
interface Script {
  readonly tokens?: readonly unknown[]
  readonly value?: unknown
  readonly documents?: readonly object[]
  readonly fails?: boolean
}

const seen: { composer?: object; toJS?: object; stringify?: object } = {}
let isInstalled = true
let script: Script = {}

function installPackage(): object {
  if (!isInstalled) throw new Error("Cannot find module 'yaml'")
  return {
    Parser: class {
      parse(text: string): readonly unknown[] {
        script = JSON.parse(text) as Script
        if (script.fails) throw new Error(`cannot read ${text}`)
        return script.tokens ?? [{ type: 'document' }]
      }
    },
    Composer: class {
      constructor(options: object) {
        seen.composer = options
      }
      compose(): readonly object[] {
        const { value, documents } = script
        const toJS = (options: object): unknown => {
          seen.toJS = options
          return value
        }
        return (
          documents?.map((document) => ({ errors: [], warnings: [], toJS, ...document })) ?? [
            { errors: [], warnings: [], toJS },
          ]
        )
      }
    },
    stringify(value: unknown, options: object): string {
      seen.stringify = options
      return `yaml of ${JSON.stringify(value)}\n`
    },
  }
}

jest.mock('yaml', () => installPackage(), { virtual: true })

function load(): typeof import('../../../src/route/codecs/yaml') {
  jest.resetModules()
  return require('../../../src/route/codecs/yaml') as typeof import('../../../src/route/codecs/yaml')
}

beforeEach(() => {
  isInstalled = true
})

describe('yaml()', () => {
  it('says what to install where the package is missing', () => {
    const { yaml } = load()
    isInstalled = false
    expect(() => yaml()).toThrow('npm install yaml')
  })

  it('has the names of RFC 9512', () => {
    const codec = load().yaml()
    expect(codec.type).toBe('application/yaml')
    expect(codec.also).toEqual(['text/yaml', 'application/x-yaml', '+yaml'])
    expect(codec.text ?? false).toBe(false)
  })

  it('reads the core schema alone, with aliases bounded', () => {
    const { yaml } = load()
    expect(decode(yaml(), JSON.stringify({ value: { a: [1] } }))).toEqual({ a: [1] })
    expect(seen.composer).toMatchObject({
      version: '1.2',
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      strict: true,
      uniqueKeys: true,
      stringKeys: true,
    })
    expect(seen.composer).not.toHaveProperty('customTags')
    expect(seen.toJS).toEqual({ maxAliasCount: 100 })
    decode(yaml({ aliases: 7 }), JSON.stringify({ value: 1 }))
    expect(seen.toJS).toEqual({ maxAliasCount: 7 })
  })

  it('takes a body of comments alone for null', () => {
    expect(decode(load().yaml(), JSON.stringify({ documents: [] }))).toBeNull()
  })

  it('writes without anchors', () => {
    expect(load().yaml().encode?.({ a: 1 })).toBe('yaml of {"a":1}\n')
    expect(seen.stringify).toMatchObject({ schema: 'core', aliasDuplicateObjects: false })
  })

  const flow = (items: readonly unknown[], source = '['): object => ({
    type: 'flow-collection',
    start: { source },
    items,
  })
  const nest = (levels: number): object => (levels === 0 ? { type: 'scalar' } : flow([{ value: nest(levels - 1) }]))
  const inDocument = (value: object): Script => ({ tokens: [{ type: 'document', start: [], value }], value: 1 })
  const entries = (count: number): object[] => Array.from({ length: count }, () => ({ key: { type: 'scalar' } }))
  const tags = Array.from({ length: 5 }, () => ({ type: 'tag' }))

  it.each<[string, Script, string]>([
    ['an error of the parser', { tokens: [{ type: 'error' }, { type: 'document' }] }, 'syntax'],
    ['a parser that throws', { fails: true }, 'syntax'],
    ['two documents', { tokens: [{ type: 'document' }, { type: 'document' }] }, 'syntax'],
    ['an error of the composer', { documents: [{ errors: [new Error('hunter2')] }] }, 'syntax'],
    ['an unknown tag', { documents: [{ warnings: [new Error('hunter2')] }] }, 'syntax'],
    ['a heap of tags', { tokens: [{ type: 'document', start: tags }] }, 'syntax'],
    ['a heap of tags in a list', inDocument({ type: 'block-seq', items: [{ start: tags }] }), 'syntax'],
    ['too many levels', inDocument(nest(33)), 'limit'],
    ['1,000 levels', inDocument(nest(1000)), 'limit'],
    ['too many keys', inDocument({ type: 'block-map', items: entries(1002) }), 'limit'],
    ['too many keys in braces', inDocument(flow(entries(1002), '{')), 'limit'],
    ['too many items', inDocument(flow(entries(10_002))), 'limit'],
  ])('%s is 400', (_name, body, code) => {
    const error = thrownBy(() => decode(load().yaml(), JSON.stringify(body)))
    expect(error).toMatchObject({ status: 400, code, errors: [{ in: 'body', pointer: '' }] })
    expect(error.message).not.toContain('hunter2')
  })

  it('takes what is just within the limits', () => {
    const codec = load().yaml()
    for (const value of [nest(32), flow(entries(1000), '{'), flow(entries(10_000))]) {
      expect(decode(codec, JSON.stringify(inDocument(value)))).toBe(1)
    }
    expect(
      thrownBy(() => decode(codec, JSON.stringify(inDocument(nest(3))), contextOf({}, { depth: 2 }))),
    ).toMatchObject({
      code: 'limit',
    })
  })

  it('refuses a value inside itself', () => {
    const codec = load().yaml()
    const loop: Record<string, unknown> = {}
    loop.self = loop
    const parse = jest.spyOn(JSON, 'parse').mockReturnValueOnce({ value: loop })
    try {
      expect(thrownBy(() => decode(codec, '&a {self: *a}'))).toMatchObject({ status: 400, code: 'limit' })
    } finally {
      parse.mockRestore()
    }
  })
})
