import { Exclude, Expose, Transform, Type } from 'class-transformer'
import { IsArray, IsOptional, IsString, ValidateNested } from 'class-validator'
import fc from 'fast-check'
import { View } from '../../src/docstore/collection-view'
import { applyJsonPatch } from '../../src/docstore/collection-json-patch'
import type { Answer, Served } from '../support/serve'
import { unmountAll } from '../support/documents'
import { closeCollections, createNote, serveNotes, type ServedCollection } from './support/collection'

afterEach(async () => {
  await unmountAll()
  await closeCollections()
})

const mergeType = 'application/merge-patch+json'
const patchType = 'application/json-patch+json'

function patch(served: Served, path: string, type: string, body: unknown): Promise<Answer> {
  return served.ask('PATCH', path, { body: JSON.stringify(body), headers: { 'Content-Type': type } })
}

async function storedOf(served: ServedCollection, path: string): Promise<Record<string, unknown>> {
  const doc = await served.store.get(path.slice('/notes/'.length))
  return JSON.parse(Buffer.from(doc?.body as Uint8Array).toString()) as Record<string, unknown>
}

class Card {
  @IsString() number!: string
  @Exclude({ toPlainOnly: true }) @IsOptional() @IsString() code?: string
}

class Customer {
  @IsString() name!: string
  @ValidateNested() @Type(() => Card) card!: Card
  @IsArray() @ValidateNested({ each: true }) @Type(() => Card) more!: Card[]
  @IsOptional() @ValidateNested() @Type(() => Card) second?: Card
  @IsOptional()
  @IsString()
  @Transform(({ value }) => (typeof value === 'string' ? `…${value.slice(-4)}` : undefined), { toPlainOnly: true })
  account?: string
  @Expose({ toPlainOnly: true }) get cards(): number {
    return 1 + this.more.length
  }
}

describe('PATCH of documents with classes inside that keep members for themselves', () => {
  const body = {
    name: 'Ann',
    card: { number: '1', code: 'a' },
    more: [
      { number: '2', code: 'b' },
      { number: '3', code: 'c' },
    ],
    account: 'DE0012345678',
  }

  async function serveCustomer(): Promise<ServedCollection & { path: string }> {
    const served = await serveNotes({ model: Customer })
    return { ...served, path: (await createNote(served, body)).path }
  }

  it.each([
    ['a test of what is hidden', [{ op: 'test', path: '/card/code', value: 'a' }]],
    ['a test of it in a list', [{ op: 'test', path: '/more/0/code', value: 'b' }]],
    ['a test of the whole with it', [{ op: 'test', path: '/card', value: { number: '1', code: 'a' } }]],
    ['a copy of it', [{ op: 'copy', from: '/card/code', path: '/name' }]],
    ['a move of it', [{ op: 'move', from: '/more/1/code', path: '/name' }]],
    ['its removal', [{ op: 'remove', path: '/card/code' }]],
    ['its replacement', [{ op: 'replace', path: '/card/code', value: 'z' }]],
    ['a test of what is shown in another form', [{ op: 'test', path: '/account', value: 'DE0012345678' }]],
  ])('409 for %s, as if it were not there', async (_, operations) => {
    const served = await serveCustomer()
    const before = await storedOf(served, served.path)
    const answer = await patch(served, served.path, patchType, operations)
    expect(answer.status).toBe(409)
    expect(await storedOf(served, served.path)).toEqual(before)
  })

  it.each<[string, unknown[], Record<string, unknown>]>([
    ['a member beside it', [{ op: 'replace', path: '/card/number', value: '9' }], { card: { number: '9', code: 'a' } }],
    [
      'the object it belongs to',
      [{ op: 'replace', path: '/card', value: { number: '9' } }],
      { card: { number: '9', code: 'a' } },
    ],
    ['a member elsewhere', [{ op: 'replace', path: '/name', value: 'Bob' }], { name: 'Bob' }],
    ['nothing', [{ op: 'test', path: '/card', value: { number: '1' } }], {}],
    ['nothing, by what is shown', [{ op: 'test', path: '/account', value: '…5678' }], {}],
    ['nothing, by what is computed', [{ op: 'test', path: '/cards', value: 3 }], {}],
    [
      'an element',
      [{ op: 'replace', path: '/more/1/number', value: '9' }],
      { more: [body.more[0], { number: '9', code: 'c' }] },
    ],
    ['the list, less one', [{ op: 'remove', path: '/more/0' }], { more: [body.more[1]] }],
    [
      'the list, and one',
      [{ op: 'add', path: '/more/0', value: { number: '9' } }],
      { more: [{ number: '9' }, ...body.more] },
    ],
    ['the order', [{ op: 'move', from: '/more/1', path: '/more/0' }], { more: [body.more[1], body.more[0]] }],
    [
      'the order, to the end',
      [{ op: 'move', from: '/more/0', path: '/more/-' }],
      { more: [body.more[1], body.more[0]] },
    ],
    [
      'one for another',
      [
        { op: 'remove', path: '/more/1' },
        { op: 'add', path: '/more/1', value: { number: '9' } },
      ],
      { more: [body.more[0], { number: '9' }] },
    ],
    ['a copy without it', [{ op: 'copy', from: '/card', path: '/second' }], { second: { number: '1' } }],
    [
      'a copy in the list',
      [{ op: 'copy', from: '/more/0', path: '/more/-' }],
      { more: [...body.more, { number: '2' }] },
    ],
    ['it itself, given anew', [{ op: 'add', path: '/card/code', value: 'z' }], { card: { number: '1', code: 'z' } }],
    ['the value in another form', [{ op: 'replace', path: '/account', value: 'FR77' }], { account: 'FR77' }],
  ])('changes %s, and keeps what belongs to it', async (_, operations, changes) => {
    const served = await serveCustomer()
    const { id } = await storedOf(served, served.path)
    const answer = await patch(served, served.path, patchType, operations)
    expect([answer.status, answer.text.includes('code')]).toEqual([200, false])
    expect(await storedOf(served, served.path)).toEqual({ id, ...body, ...changes })
  })

  it('takes nothing hidden along to other names, where another class might show it', async () => {
    class Open {
      @IsString() number!: string
      @IsOptional() @IsString() code?: string
    }
    class Mixed {
      @IsOptional() @ValidateNested() @Type(() => Card) closed?: Card
      @IsOptional() @ValidateNested() @Type(() => Open) open?: Open
    }
    for (const op of ['move', 'copy']) {
      const served = await serveNotes({ model: Mixed })
      const { path } = await createNote(served, { closed: { number: '1', code: 'secret' } })
      const answer = await patch(served, path, patchType, [{ op, from: '/closed', path: '/open' }])
      expect([answer.status, answer.json<{ open: unknown }>().open]).toEqual([200, { number: '1' }])
      expect((await served.ask('GET', path)).text).not.toContain('secret')
    }
  })

  it('merges into them', async () => {
    const served = await serveCustomer()
    const merged = await patch(served, served.path, mergeType, { card: { number: '9' }, name: 'Bob' })
    expect([merged.status, merged.text.includes('code')]).toEqual([200, false])
    expect(await storedOf(served, served.path)).toMatchObject({
      name: 'Bob',
      card: { number: '9', code: 'a' },
      more: body.more,
    })
  })

  it('refuses to change what is computed', async () => {
    const served = await serveCustomer()
    const answer = await patch(served, served.path, patchType, [{ op: 'replace', path: '/cards', value: 9 }])
    expect(answer.status).toBe(422)
  })
})

describe('new View(stored, shown)', () => {
  const name = fc.constantFrom('a', 'b', 'c', '~', '', '*', '/')
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(null, 0, 1, 'x', true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  type Tree = Record<string, unknown>
  const isObject = (each: unknown): each is Tree => typeof each === 'object' && each !== null && !Array.isArray(each)
  /** A value without its members `c`, at any depth: those are hidden. */
  const shown = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(shown)
    if (!isObject(each)) return each
    return Object.fromEntries(
      Object.entries(each).flatMap(([key, inner]) => (key === 'c' ? [] : [[key, shown(inner)]])),
    )
  }

  it('gives back what was stored where nothing was changed', () => {
    fc.assert(
      fc.property(value, (stored) => {
        const view = new View(stored, shown(stored))
        expect(view.document).toEqual(shown(stored))
        expect(view.restore(view.document)).toEqual(stored)
      }),
    )
  })

  it('makes of operations the same visible document, whatever is hidden, and adds nothing to what is', () => {
    const pointer = fc
      .array(fc.constantFrom('a', 'b', '0', '1', '-'), { maxLength: 3 })
      .map((all) => all.map((each) => `/${each}`).join(''))
    const operation = fc.oneof(
      fc.record({ op: fc.constantFrom('add', 'replace'), path: pointer, value: value.map(shown) }),
      fc.record({ op: fc.constantFrom('move', 'copy'), from: pointer, path: pointer }),
      fc.record({ op: fc.constant('remove'), path: pointer }),
    )
    const hiddenIn = (each: unknown): string[] =>
      JSON.stringify(each, (key, inner: unknown) => inner)
        ?.match(/secret-\d+/g)
        ?.sort() ?? []
    fc.assert(
      fc.property(value, fc.array(operation, { minLength: 1, maxLength: 4 }), (tree, operations) => {
        let number = 0
        // Each hidden member holds a secret of its own.
        const stored: unknown = JSON.parse(JSON.stringify(tree), (_, inner: unknown) =>
          isObject(inner) ? { ...inner, c: `secret-${number++}` } : inner,
        )
        const view = new View(stored, shown(stored))
        let patched: unknown
        try {
          patched = applyJsonPatch(view.document, operations, { grown: 10_000 })
        } catch {
          return
        }
        const visible: unknown = JSON.parse(JSON.stringify(patched ?? null))
        const restored = view.restore(patched)
        expect(shown(restored) ?? null).toEqual(visible)
        const after = hiddenIn(restored)
        expect(hiddenIn(stored)).toEqual(expect.arrayContaining(after))
        expect(new Set(after).size).toBe(after.length)
      }),
      { numRuns: 500 },
    )
  })
})
