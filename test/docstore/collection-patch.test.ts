import fc from 'fast-check'
import { AnyBody } from 'kumu'
import { applyJsonPatch } from '../../src/docstore/collection-json-patch'
import { mergePatch } from '../../src/docstore/collection-merge-patch'
import { memory } from 'kumu/docstore/memory'
import type { Driver } from 'kumu/docstore'
import { override, unmountAll } from '../support/documents'
import type { Answer, Served } from '../support/serve'
import { closeCollections, createNote, faults, serveNotes, slowed, type Shown } from './support/collection'

afterEach(async () => {
  await unmountAll()
  await closeCollections()
})

const mergeType = 'application/merge-patch+json'
const patchType = 'application/json-patch+json'

const patch = (
  served: Served,
  path: string,
  type: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  served.ask('PATCH', path, { body: JSON.stringify(body), headers: { 'Content-Type': type, ...headers } })

describe('mergePatch(target, patch)', () => {
  // RFC 7396, appendix A, every row of it.
  it.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s with %s is %s', (target, merge, result) => {
    expect(JSON.stringify(mergePatch(JSON.parse(target), JSON.parse(merge)))).toBe(result)
  })

  it('does as the algorithm of RFC 7396 §2 says, and leaves the target as it is', () => {
    type Members = Record<string, unknown>
    const isObject = (value: unknown): value is Members =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
    /** The pseudo code of the standard, line by line. */
    function reference(target: unknown, given: unknown): unknown {
      if (!isObject(given)) return given
      const result: Members = isObject(target) ? target : {}
      for (const name of Object.keys(given)) {
        if (given[name] === null) delete result[name]
        else result[name] = reference(Object.hasOwn(result, name) ? result[name] : undefined, given[name])
      }
      return result
    }
    const name = fc.constantFrom('a', 'b', 'c', 'toString', 'constructor', '')
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom(null, 0, 1, 'x', true, []),
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(value, value, (target, given) => {
        const before = JSON.stringify(target)
        const merged = mergePatch(target, given)
        expect(JSON.stringify(target)).toBe(before)
        expect(merged).toEqual(reference(JSON.parse(before), given))
      }),
      { numRuns: 500 },
    )
  })

  it('makes no prototype of anything', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1}}}'))
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1}}}')
  })
})

describe('applyJsonPatch(document, patch)', () => {
  const apply = (document: string, operations: string): unknown =>
    applyJsonPatch(JSON.parse(document), JSON.parse(operations), { grown: 10_000 })

  // RFC 6902, appendix A, the examples that succeed.
  it.each([
    ['A.1', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]', '{"baz":"qux","foo":"bar"}'],
    ['A.2', '{"foo":["bar","baz"]}', '[{"op":"add","path":"/foo/1","value":"qux"}]', '{"foo":["bar","qux","baz"]}'],
    ['A.3', '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'],
    ['A.4', '{"foo":["bar","qux","baz"]}', '[{"op":"remove","path":"/foo/1"}]', '{"foo":["bar","baz"]}'],
    ['A.5', '{"baz":"qux","foo":"bar"}', '[{"op":"replace","path":"/baz","value":"boo"}]', '{"baz":"boo","foo":"bar"}'],
    [
      'A.6',
      '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ],
    [
      'A.7',
      '{"foo":["all","grass","cows","eat"]}',
      '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
      '{"foo":["all","cows","eat","grass"]}',
    ],
    [
      'A.8',
      '{"baz":"qux","foo":["a",2,"c"]}',
      '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
      '{"baz":"qux","foo":["a",2,"c"]}',
    ],
    [
      'A.10',
      '{"foo":"bar"}',
      '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
      '{"foo":"bar","child":{"grandchild":{}}}',
    ],
    ['A.11', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux","xyz":123}]', '{"foo":"bar","baz":"qux"}'],
    ['A.14', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":10}]', '{"/":9,"~1":10}'],
    [
      'A.16',
      '{"foo":["bar"]}',
      '[{"op":"add","path":"/foo/-","value":["abc","def"]}]',
      '{"foo":["bar",["abc","def"]]}',
    ],
    ['the whole, replaced', '{"a":1}', '[{"op":"replace","path":"","value":{"b":2}}]', '{"b":2}'],
    ['the whole, added', '{"a":1}', '[{"op":"add","path":"","value":{"b":2}}]', '{"b":2}'],
    ['the whole, tested', '{"a":1,"b":2}', '[{"op":"test","path":"","value":{"b":2,"a":1}}]', '{"a":1,"b":2}'],
    ['a part in the place of the whole', '{"a":{"b":1}}', '[{"op":"move","from":"/a","path":""}]', '{"b":1}'],
    ['the whole into itself', '{"a":1}', '[{"op":"copy","from":"","path":"/b"}]', '{"a":1,"b":{"a":1}}'],
    ['a move onto itself', '{"a":1}', '[{"op":"move","from":"/a","path":"/a"}]', '{"a":1}'],
    [
      'a move past what it moves',
      '{"a":[1,{"x":1},{"x":2}]}',
      '[{"op":"move","from":"/a/0","path":"/a/1/y"}]',
      '{"a":[{"x":1},{"x":2,"y":1}]}',
    ],
    ['null', '{"a":1}', '[{"op":"add","path":"/a","value":null}]', '{"a":null}'],
    [
      'numbers by their value',
      '{"a":-0.0,"b":100}',
      '[{"op":"test","path":"/a","value":0},{"op":"test","path":"/b","value":1e2}]',
      '{"a":0,"b":100}',
    ],
    [
      'members with odd names',
      '{"":{"length":1}}',
      '[{"op":"replace","path":"//length","value":2}]',
      '{"":{"length":2}}',
    ],
    [
      'what was copied is not shared',
      '{"a":{"x":1}}',
      '[{"op":"copy","from":"/a","path":"/b"},{"op":"replace","path":"/b/x","value":2}]',
      '{"a":{"x":1},"b":{"x":2}}',
    ],
  ])('%s', (_what, document, operations, expected) => {
    expect(JSON.parse(JSON.stringify(apply(document, operations)))).toEqual(JSON.parse(expected))
  })

  it.each([
    ['A.9', '{"baz":"qux"}', '[{"op":"test","path":"/baz","value":"bar"}]', 409],
    ['A.12', '{"foo":"bar"}', '[{"op":"add","path":"/baz/bat","value":"qux"}]', 409],
    ['A.13', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux","op":"remove"}]', 409],
    ['A.15', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":"10"}]', 409],
    ['no list', '{}', '{"op":"add","path":"/a","value":1}', 400],
    ['no object', '{}', '[1]', 400],
    ['null', '{}', '[null]', 400],
    ['no op', '{}', '[{"path":"/a","value":1}]', 400],
    ['another op', '{}', '[{"op":"toString","path":"/a","value":1}]', 400],
    ['no path', '{}', '[{"op":"add","value":1}]', 400],
    ['a path that is no text', '{}', '[{"op":"add","path":["a"],"value":1}]', 400],
    ['a path without slash', '{}', '[{"op":"add","path":"a","value":1}]', 400],
    ['a path with a bad escape', '{}', '[{"op":"add","path":"/a~2","value":1}]', 400],
    ['no value', '{"a":1}', '[{"op":"replace","path":"/a"}]', 400],
    ['no value to test', '{"a":1}', '[{"op":"test","path":"/b"}]', 400],
    ['no from', '{"a":1}', '[{"op":"copy","path":"/b"}]', 400],
    ['a prototype', '{}', '[{"op":"add","path":"/__proto__/polluted","value":1}]', 422],
    ['a constructor', '{}', '[{"op":"add","path":"/constructor/prototype/polluted","value":1}]', 422],
    ['from a prototype', '{"a":1}', '[{"op":"copy","from":"/__proto__","path":"/a"}]', 422],
    ['what is inherited', '{"a":1}', '[{"op":"copy","from":"/toString","path":"/b"}]', 409],
    ['the length of a text', '{"a":"abc"}', '[{"op":"copy","from":"/a/length","path":"/b"}]', 409],
    ['the length of a list', '{"a":[1,2]}', '[{"op":"replace","path":"/a/length","value":0}]', 409],
    ['the length of a list, removed', '{"a":[1,2]}', '[{"op":"remove","path":"/a/length"}]', 409],
    ['a member of a text', '{"a":"abc"}', '[{"op":"add","path":"/a/b","value":1}]', 409],
    ['a member of null', '{"a":null}', '[{"op":"add","path":"/a/b","value":1}]', 409],
    ['behind the end', '{"a":[1]}', '[{"op":"add","path":"/a/2","value":1}]', 409],
    ['behind the end once it moved', '{"a":[1,2]}', '[{"op":"move","from":"/a/0","path":"/a/2"}]', 409],
    ['a zero in front', '{"a":[1,2]}', '[{"op":"remove","path":"/a/01"}]', 409],
    ['an index that is none', '{"a":[1,2]}', '[{"op":"move","from":"/a/0","path":"/a/x"}]', 409],
    ['a negative index', '{"a":[1,2]}', '[{"op":"replace","path":"/a/-1","value":1}]', 409],
    ['the end, removed', '{"a":[1,2]}', '[{"op":"remove","path":"/a/-"}]', 409],
    ['into itself', '{"a":{"b":1}}', '[{"op":"move","from":"/a","path":"/a/b/c"}]', 409],
    ['what is not there', '{}', '[{"op":"remove","path":"/a"}]', 409],
  ])('refuses %s', (_what, document, operations, status) => {
    expect(() => apply(document, operations)).toThrow(expect.objectContaining({ status }))
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(typeof Object.prototype.toString).toBe('function')
  })

  it('fails where the library would count element by element: large lists', () => {
    const large = JSON.stringify(Array.from({ length: 10_000 }, (_, index) => index))
    const other = JSON.stringify(Array.from({ length: 10_000 }, (_, index) => -index))
    const began = Date.now()
    const operations = `[{"op":"test","path":"/a","value":${other}}]`
    expect(() => apply(`{"a":${large}}`, operations)).toThrow(expect.objectContaining({ status: 409 }))
    expect(Date.now() - began).toBeLessThan(1000)
  })

  it('copies no more than it may', () => {
    const operations = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/c${index}` }))
    expect(() => apply('{"a":"0123456789"}', JSON.stringify(operations))).toThrow(
      expect.objectContaining({ status: 413 }),
    )
    const many = Array.from({ length: 1001 }, () => ({ op: 'test', path: '', value: {} }))
    expect(() => apply('{}', JSON.stringify(many))).toThrow(expect.objectContaining({ status: 413 }))
  })
})

describe('PATCH /notes/:id', () => {
  it('merges, and null is not absent', async () => {
    const served = await serveNotes()
    const { path, note } = await createNote(served, { title: 'x', year: 1, tags: ['a'] })
    const kept = await patch(served, path, mergeType, { title: 'y' })
    expect([kept.status, kept.json()]).toEqual([200, { ...note, title: 'y' }])
    const removed = await patch(served, path, mergeType, { year: null })
    expect(removed.json()).toEqual({ id: note.id, title: 'y', tags: ['a'] })
    const required = await patch(served, path, mergeType, { title: null })
    expect([required.status, faults(required).length]).toEqual([422, expect.any(Number)])
    expect((await patch(served, path, `${mergeType}; charset=utf-8`, {})).status).toBe(200)
  })

  it('takes operations', async () => {
    const served = await serveNotes()
    const { path, note } = await createNote(served, { title: 'x', tags: ['a', 'b'] })
    const operations = [
      { op: 'test', path: '/title', value: 'x' },
      { op: 'add', path: '/tags/-', value: 'c' },
      { op: 'remove', path: '/tags/0' },
    ]
    const answer = await patch(served, path, patchType, operations)
    expect([answer.status, answer.json()]).toEqual([200, { ...note, tags: ['b', 'c'] }])
    const failing = await patch(served, path, patchType, [{ op: 'test', path: '/title', value: 'y' }])
    expect([failing.status, faults(failing)]).toEqual([409, ['/0/path test']])
    expect((await patch(served, path, patchType, { op: 'add' })).status).toBe(400)
  })

  it.each([
    [mergeType, { title: '' }],
    [mergeType, { isAdmin: true }],
    [mergeType, []],
    [mergeType, 'x'],
    [mergeType, null],
    [mergeType, { id: 'other' }],
    [mergeType, { id: null }],
    [patchType, [{ op: 'replace', path: '/title', value: 7 }]],
    [patchType, [{ op: 'add', path: '/isAdmin', value: true }]],
    [patchType, [{ op: 'replace', path: '/id', value: 'other' }]],
    [patchType, [{ op: 'remove', path: '/id' }]],
    [patchType, [{ op: 'remove', path: '' }]],
    [patchType, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
  ])('%s %j would make another thing of it: 422, and nothing happens', async (type, body) => {
    const served = await serveNotes()
    const { path, note, etag } = await createNote(served, { title: 'x' })
    expect((await patch(served, path, type, body)).status).toBe(422)
    const read = await served.ask('GET', path)
    expect([read.json(), read.headers.etag]).toEqual([note, etag])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it.each(['application/json', 'text/plain', 'application/xml', 'application/vnd.x+json'])(
    'is 415 for %s, with what would do',
    async (type) => {
      const served = await serveNotes()
      const { path } = await createNote(served, { title: 'x' })
      const answer = await patch(served, path, type, { title: 'y' })
      expect([answer.status, answer.headers['accept-patch']]).toEqual([415, `${mergeType}, ${patchType}`])
    },
  )

  it('holds to conditions', async () => {
    const served = await serveNotes()
    const { path, etag } = await createNote(served, { title: 'x' })
    const failed = await patch(served, path, mergeType, { title: 'y' }, { 'If-Match': '"z"' })
    expect([failed.status, failed.headers.etag]).toEqual([412, etag])
    const list = { 'If-Match': `"z", ${etag}` }
    expect((await patch(served, path, mergeType, { title: 'y' }, list)).status).toBe(200)
    expect((await patch(served, path, mergeType, { title: 'z' }, list)).status).toBe(412)
    expect((await patch(served, path, mergeType, {}, { 'If-None-Match': '*' })).status).toBe(412)
  })

  it('sixteen at once without a condition: no change is lost', async () => {
    const served = await serveNotes({ driver: slowed(memory()) })
    const { path } = await createNote(served, { title: 'x', tags: [] })
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, n) =>
          patch(served, path, patchType, [{ op: 'add', path: '/tags/-', value: `${round}.${n}` }]),
        ),
      )
      expect(answers.map(({ status }) => status)).toEqual(Array<number>(16).fill(200))
    }
    const { tags = [] } = (await served.ask('GET', path)).json<Shown>()
    expect(new Set(tags).size).toBe(80)
    expect(tags).toHaveLength(80)
  })

  it('sixteen at once with one If-Match: one wins', async () => {
    const served = await serveNotes({ driver: slowed(memory()) })
    const { path, etag } = await createNote(served, { title: 'x' })
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) => patch(served, path, mergeType, { year: n }, { 'If-Match': etag })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(15).fill(412)])
  })

  it('gives up where others are always faster, and says when to come again', async () => {
    const driver = memory()
    let others = 0
    const get: Driver['get'] = async (key, options) => {
      const doc = await driver.get(key, options)
      if (doc) await driver.put(key, Buffer.from(JSON.stringify({ title: `t${others++}` })), { type: doc.type })
      return doc
    }
    const served = await serveNotes({ driver: override(driver, { get }) })
    const { path } = await createNote(served, { title: 'x' })
    const answer = await patch(served, path, mergeType, { year: 1 })
    expect([answer.status, answer.headers['retry-after'], others]).toEqual([409, '1', 100])
  }, 20_000)

  it('keeps the time at which the document ceases to be there', async () => {
    const served = await serveNotes()
    const expires = Date.now() + 60_000
    await served.store.put('a', '{"title":"x"}', { type: 'application/json', expires })
    expect((await patch(served, '/notes/a', mergeType, { title: 'y' })).status).toBe(200)
    expect((await served.store.get('a', { body: false }))?.expires).toBe(expires)
  })

  it('does not nest a document deeper than a body may be', async () => {
    @AnyBody()
    class Anything {
      [name: string]: unknown
    }
    const served = await serveNotes({ model: Anything })
    const { path } = await createNote(served, { a: {}, b: {} })
    const operations = Array.from({ length: 300 }, (_, index) => {
      const [from, to] = index % 2 === 0 ? ['a', 'b'] : ['b', 'a']
      return [
        { op: 'move', from: `/${from}`, path: `/${to}/x` },
        { op: 'add', path: `/${from}`, value: {} },
      ]
    }).flat()
    expect((await patch(served, path, patchType, operations)).status).toBe(422)
  })
})
