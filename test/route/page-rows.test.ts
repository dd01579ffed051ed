import { Readable } from 'node:stream'
import fc from 'fast-check'
import { compareKeys, toKeyValue } from '../../src/route/cursor'
import { isRowSource, selectRows } from '../../src/route/page-rows'
import type { PageRows, RowQuery } from '../../src/route/page-sinks'
import type { SortKey, TypePlan } from '../../src/route/plan'
import { toRowFilter } from '../../src/route/row-values'

const whole: RowQuery = { offset: 0, limit: 10, filters: [], order: [], countAll: true }

/** A source that says how far it was read, and whether it was closed. */
function counting(length: number): {
  readonly read: () => number
  readonly closed: () => boolean
  readonly rows: AsyncIterable<number>
} {
  let read = 0
  let closed = false
  async function* rows(): AsyncGenerator<number> {
    try {
      while (read < length) yield read++
    } finally {
      closed = true
    }
  }
  return { read: () => read, closed: () => closed, rows: rows() }
}

function filterOf(
  name: string,
  kind: TypePlan['kind'],
  values: (string | number | boolean | Date)[],
): RowQuery['filters'] {
  return [toRowFilter({ name, type: { kind, list: false } }, values)]
}

function ids(page: PageRows): unknown[] {
  return page.rows.map((row) => (row as { id: unknown }).id)
}

describe('isRowSource(value)', () => {
  it.each<[string, unknown, boolean]>([
    ['an array', [1], true],
    ['a set', new Set([1]), true],
    [
      'a generator',
      (function* () {
        yield 1
      })(),
      true,
    ],
    ['an async generator', counting(1).rows, true],
    ['a stream of objects', Readable.from([{ a: 1 }]), true],
    ['a stream of bytes', new Readable({ read() {} }), false],
    ['a web stream', new ReadableStream(), false],
    ['a string', 'abc', false],
    ['bytes', Buffer.from('abc'), false],
    ['a map', new Map([[1, 2]]), false],
    ['an object', { length: 1 }, false],
    ['null', null, false],
    ['undefined', undefined, false],
    ['a number', 1, false],
  ])('%s', (_, value, expected) => {
    expect(isRowSource(value)).toBe(expected)
  })
})

describe('selectRows(source, query)', () => {
  it('does not touch the other rows of an array that is only sliced', () => {
    const touched: string[] = []
    const rows = new Proxy(
      Array.from({ length: 10000 }, (_, id) => ({ id })),
      {
        get(target, name, receiver) {
          if (typeof name === 'string' && /^\d+$/.test(name)) touched.push(name)
          return Reflect.get(target, name, receiver) as unknown
        },
      },
    )
    const page = selectRows(rows, { ...whole, offset: 5000, limit: 3 }) as PageRows
    expect(ids(page)).toEqual([5000, 5001, 5002])
    expect(touched).toEqual(['5000', '5001', '5002'])
  })

  it.each([
    [0, 10, 11],
    [20, 10, 31],
    [0, 0, 1],
  ])('B68 stops an iterator after the page and one row: offset %i, limit %i', async (offset, limit, read) => {
    const source = counting(1e6)
    const page = await selectRows(source.rows, { ...whole, offset, limit, countAll: false })
    expect(page).toMatchObject({ first: offset, more: true })
    expect(page.total).toBeUndefined()
    expect(page.rows).toHaveLength(limit)
    expect(source.read()).toBe(read)
    expect(source.closed()).toBe(true)
  })

  it('counts on to the end where the count is wanted', async () => {
    const source = counting(1000)
    expect(await selectRows(source.rows, { ...whole, offset: 2, limit: 3 })).toEqual({
      rows: [2, 3, 4],
      first: 2,
      total: 1000,
      more: true,
    })
  })

  it('knows the total without counting where it came to the end', async () => {
    expect(await selectRows(counting(5).rows, { ...whole, offset: 3, countAll: false })).toEqual({
      rows: [3, 4],
      first: 3,
      total: 5,
      more: false,
    })
  })

  it('closes the iterator when a row cannot be read', async () => {
    const source = counting(10)
    const filters = filterOf('x', 'any', ['1'])
    async function* hostile(): AsyncGenerator<object> {
      for await (const id of source.rows) {
        yield Object.defineProperty({ id }, 'x', {
          get: () => {
            throw new Error('broken row')
          },
        })
      }
    }
    await expect(selectRows(hostile(), { ...whole, filters })).rejects.toThrow('broken row')
    expect(source.closed()).toBe(true)
  })

  it('filters, sorts, counts and slices in that order', () => {
    const rows = [5, 3, 8, 1, 9, 2].map((id) => ({ id, odd: id % 2 === 1 }))
    const query = { ...whole, offset: 1, limit: 2, order: [{ name: 'id', descending: true }] }
    const page = selectRows(rows, { ...query, filters: filterOf('odd', 'boolean', [true]) }) as PageRows
    expect(ids(page)).toEqual([5, 3])
    expect(page).toMatchObject({ first: 1, total: 4, more: true })
  })

  it('agrees with filtering, sorting and slicing an array, whatever the source', async () => {
    const row = fc.record({ a: fc.option(fc.nat({ max: 3 })), b: fc.constantFrom('x', 'y', undefined, true) })
    const sort: fc.Arbitrary<SortKey[]> = fc.uniqueArray(
      fc.record({ name: fc.constantFrom('a', 'b'), descending: fc.boolean() }),
      { selector: (key) => key.name },
    )
    const query = fc.record({
      offset: fc.nat({ max: 12 }),
      limit: fc.nat({ max: 6 }),
      last: fc.option(fc.nat({ max: 6 }), { nil: undefined }),
      order: sort,
      filters: fc.constantFrom(filterOf('b', 'string', ['x']), [] as RowQuery['filters']),
      countAll: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 20 }),
        query,
        fc.constantFrom('array', 'sync', 'async'),
        async (rows, asked, form) => {
          const kept = asked.filters.length === 0 ? rows : rows.filter((each) => each.b === 'x')
          const keys = (each: object): ReturnType<typeof toKeyValue>[] =>
            asked.order.map(({ name }) => toKeyValue((each as Record<string, unknown>)[name]))
          const sorted = [...kept].sort((a, b) => compareKeys(keys(a), keys(b), asked.order))
          const first = asked.last === undefined ? asked.offset : Math.max(0, sorted.length - asked.last)
          const expected = asked.last === undefined ? sorted.slice(first, first + asked.limit) : sorted.slice(first)
          const source = form === 'array' ? rows : form === 'sync' ? new Set(rows) : Readable.from(rows)
          const page = await selectRows(source, asked)
          expect(page.rows.length).toBe(expected.length)
          page.rows.forEach((each, index) => expect(each).toBe(expected[index]))
          expect(page.first).toBe(first)
          expect(page.more).toBe(first + expected.length < sorted.length)
          if (asked.countAll || page.total !== undefined) expect(page.total).toBe(sorted.length)
        },
      ),
    )
  })

  it('keeps the rows behind a keyset and knows their position', () => {
    const rows = [4, 1, 3, 5, 2].map((id) => ({ id }))
    const page = selectRows(rows, {
      ...whole,
      limit: 2,
      order: [{ name: 'id', descending: false }],
      after: [2],
    }) as PageRows
    expect(ids(page)).toEqual([3, 4])
    expect(page).toMatchObject({ first: 2, total: 5, more: true })
  })
})

describe('filters', () => {
  class Person {
    constructor(
      readonly id: number,
      private readonly names: readonly string[],
    ) {}
    get full(): string {
      return this.names.join(' ')
    }
    shout(): string {
      return this.full
    }
  }

  it.each<[string, TypePlan['kind'], (string | number | boolean | Date)[], object[], number[]]>([
    ['name', 'string', ['a'], [{ id: 1, name: 'a' }, { id: 2, name: 'A' }, { id: 3 }, { id: 4, name: null }], [1]],
    [
      'n',
      'number',
      [1, 3],
      [
        { id: 1, n: 1 },
        { id: 2, n: '1' },
        { id: 3, n: 3 },
        { id: 4, n: 2 },
      ],
      [1, 3],
    ],
    [
      'n',
      'integer',
      [1],
      [
        { id: 1, n: 1n },
        { id: 2, n: 1 },
        { id: 3, n: NaN },
      ],
      [1, 2],
    ],
    ['on', 'boolean', [false], [{ id: 1, on: false }, { id: 2, on: true }, { id: 3 }, { id: 4, on: 0 }], [1]],
    [
      'at',
      'date',
      [new Date('2024-01-01')],
      [
        { id: 1, at: new Date('2024-01-01') },
        { id: 2, at: '2024-01-01T00:00:00Z' },
        { id: 3, at: 'no' },
        { id: 4, at: new Date(NaN) },
        { id: 5 },
      ],
      [1, 2],
    ],
    [
      'x',
      'any',
      ['1', 'true'],
      [{ id: 1, x: 1 }, { id: 2, x: true }, { id: 3, x: '1' }, { id: 4, x: null }, { id: 5, x: {} }, { id: 6 }],
      [1, 2, 3],
    ],
    ['x', 'any', ['null', 'undefined', '[object Object]'], [{ id: 1, x: null }, { id: 2 }, { id: 3, x: {} }], []],
    [
      'a.b',
      'string',
      ['c'],
      [
        { id: 1, a: { b: 'c' } },
        { id: 2, a: 'c' },
        { id: 3, a: null },
        { id: 4, 'a.b': 'c' },
      ],
      [1],
    ],
    [
      'tags',
      'string',
      ['x'],
      [
        { id: 1, tags: ['y', 'x'] },
        { id: 2, tags: [] },
        { id: 3, tags: ['xx'] },
      ],
      [1],
    ],
    ['full', 'string', ['Ada L'], [new Person(1, ['Ada', 'L']), new Person(2, ['Bob'])], [1]],
    ['shout', 'any', ['Ada L'], [new Person(1, ['Ada', 'L'])], []],
    ['__proto__', 'any', ['[object Object]'], [{ id: 1 }, new Person(2, [])], []],
    ['constructor.name', 'string', ['Object', 'Person'], [{ id: 1 }, new Person(2, [])], []],
    ['toString', 'any', ['function toString() { [native code] }'], [{ id: 1 }], []],
    ['x', 'string', ['a'], [1, 'a', null, undefined, []] as unknown as object[], []],
  ])('%s as %s in %j', (name, kind, values, rows, expected) => {
    expect(ids(selectRows(rows, { ...whole, filters: filterOf(name, kind, values) }) as PageRows)).toEqual(expected)
  })
})
