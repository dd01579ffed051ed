import fc from 'fast-check'
import { BadRequest } from '../../src/errors'
import {
  compareKeys,
  decodeCursor,
  encodeCursor,
  fingerprintOf,
  toKeyValue,
  type CursorScope,
} from '../../src/route/cursor'
import type { KeyValue } from '../../src/route/plan'

const order = [
  { name: 'name', descending: true },
  { name: 'id', descending: false },
]
const open: CursorScope = { unit: 'rows', order, filter: '' }
const signed: CursorScope = { ...open, secret: 'a secret' }

const keyValue: fc.Arbitrary<KeyValue> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.bigInt(),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.constant(null),
)

function refused(cursor: string, scope: CursorScope): void {
  expect(() => decodeCursor(cursor, scope)).toThrow(
    expect.objectContaining({
      constructor: BadRequest,
      status: 400,
      code: 'cursor',
      errors: [expect.objectContaining({ in: 'query', pointer: '/cursor', code: 'cursor' })],
    }),
  )
}

function craft(content: unknown): string {
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url')
}

describe.each([
  ['unsigned', open],
  ['signed', signed],
])('encodeCursor(values, scope), %s', (_, scope) => {
  it('is undone by decodeCursor', () => {
    fc.assert(
      fc.property(fc.tuple(keyValue, keyValue), (values) => {
        const cursor = encodeCursor(values, scope)
        expect(cursor).toMatch(/^[A-Za-z0-9_.-]+$/)
        expect(decodeCursor(cursor, scope)).toEqual(values)
      }),
    )
  })

  it('keeps lone surrogates', () => {
    expect(decodeCursor(encodeCursor(['\ud800', 1], scope), scope)).toEqual(['\ud800', 1])
  })

  it('refuses a value too long to travel', () => {
    expect(() => encodeCursor(['x'.repeat(5000), 1], scope)).toThrow(BadRequest)
  })

  it('is of use in its own order and filter only', () => {
    const cursor = encodeCursor(['a', 1], scope)
    refused(cursor, { ...scope, order: [order[1]!, order[0]!] })
    refused(cursor, { ...scope, order: [{ name: 'name', descending: false }, order[1]!] })
    refused(cursor, { ...scope, order: [order[0]!] })
    refused(cursor, { ...scope, filter: fingerprintOf({ team: ['a'] }) })
  })
})

describe('decodeCursor(cursor, scope)', () => {
  it.each([
    ['empty', ''],
    ['no base64', 'ä!'],
    ['padded', `${craft([1, '-name,id', '', ['a', 1]])}=`],
    ['no JSON', craft('{')],
    ['no list', craft({ 0: 1, length: 4 })],
    ['too few parts', craft([1, '-name,id', ''])],
    ['too many parts', craft([1, '-name,id', '', ['a', 1], 0])],
    ['another version', craft([2, '-name,id', '', ['a', 1]])],
    ['another order', craft([1, 'name,id', '', ['a', 1]])],
    ['a filter', craft([1, '-name,id', 'x', ['a', 1]])],
    ['values of no list', craft([1, '-name,id', '', 'a1'])],
    ['too few values', craft([1, '-name,id', '', ['a']])],
    ['too many values', craft([1, '-name,id', '', ['a', 1, 2]])],
    ['an object', craft([1, '-name,id', '', [{ $gt: '' }, 1]])],
    ['a prototype', craft('[1,"-name,id","",[{"__proto__":{"x":1}},1]]')],
    ['an unknown tag', craft([1, '-name,id', '', [['x', 1], 1]])],
    ['a long tag', craft([1, '-name,id', '', [['d', 1, 2], 1]])],
    ['no date', craft([1, '-name,id', '', [['d', 9e15], 1]])],
    ['a date of text', craft([1, '-name,id', '', [['d', '0'], 1]])],
    ['no digits', craft([1, '-name,id', '', [['n', '0x1'], 1]])],
    ['an infinite number', craft('[1,"-name,id","",["a",1e999]]')],
    ['too long', 'A'.repeat(5000)],
    ['a signed one', encodeCursor(['a', 1], signed)],
  ])('%s is refused', (_, cursor) => {
    refused(cursor, open)
  })

  it('refuses every other signature', () => {
    const [payload, mac] = encodeCursor(['a', 1], signed).split('.') as [string, string]
    refused(payload, signed)
    refused(`${payload}.`, signed)
    refused(`.${mac}`, signed)
    refused(`${payload}.${mac.slice(2)}`, signed)
    refused(`${payload}.${mac}AA`, signed)
    refused(`${craft([1, '-name,id', '', ['b', 1]])}.${mac}`, signed)
    refused(encodeCursor(['a', 1], { ...signed, secret: 'another' }), signed)
    refused(encodeCursor(['a', 1], { ...signed, unit: 'others' }), signed)
    refused(encodeCursor(['a', 1], open), signed)
  })

  it('refuses any text with 400 and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json().map(craft)), (text) => (refused(text, open), refused(text, signed))),
    )
  })
})

describe('fingerprintOf(where)', () => {
  it('minds names, values and their types, not the order they came in', () => {
    expect(fingerprintOf({})).toBe('')
    expect(fingerprintOf({ a: ['1', '2'], b: [true] })).toBe(fingerprintOf({ b: [true], a: ['2', '1'] }))
    const different: Record<string, KeyValue[]>[] = [
      { a: ['1'] },
      { a: [1] },
      { b: ['1'] },
      { a: ['1', '2'] },
      { a: [true] },
      { a: [new Date(1)] },
    ]
    expect(new Set(different.map(fingerprintOf)).size).toBe(different.length)
  })
})

describe('compareKeys(left, right, order)', () => {
  const ascending = [{ name: 'a', descending: false }]
  const descending = [{ name: 'a', descending: true }]

  it('puts numbers before strings by code unit before dates before booleans before null', () => {
    const sorted = [-1, 2n, 10, 'B', 'a', 'ä', new Date(0), new Date(1), false, true, null]
    const shuffled = [null, true, 'ä', new Date(1), 10, 'a', false, -1, new Date(0), 'B', 2n]
    expect(shuffled.sort((a, b) => compareKeys([a], [b], ascending))).toEqual(sorted)
    expect(shuffled.sort((a, b) => compareKeys([a], [b], descending))).toEqual([...sorted.slice(0, -1).reverse(), null])
  })

  it('is an order: antisymmetric and transitive', () => {
    const sign = (a: KeyValue, b: KeyValue): number => Math.sign(compareKeys([a], [b], ascending)) + 0
    fc.assert(
      fc.property(keyValue, keyValue, keyValue, (a, b, c) => {
        expect(sign(a, b)).toBe(-sign(b, a) + 0)
        if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe('toKeyValue(value)', () => {
  it.each([[undefined], [null], [NaN], [Infinity], [new Date(NaN)], [{}], [[]], [() => 1], [Symbol('x')]])(
    '%p has no place of its own',
    (value) => {
      expect(toKeyValue(value)).toBeNull()
    },
  )
  it.each([['a'], [''], [0], [1n], [false], [new Date(0)]])('%p is itself', (value) => {
    expect(toKeyValue(value)).toBe(value)
  })
})
