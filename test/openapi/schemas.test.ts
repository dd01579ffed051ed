import Ajv from 'ajv/dist/2020'
import fc from 'fast-check'
import { mergeSchemas, toEnum, withNull } from '../../src/openapi/schemas'
import type { Schema } from '../../src/openapi/types'

describe('mergeSchemas(schemas)', () => {
  test.each<[string, Schema[], Schema]>([
    ['nothing of nothing', [], {}],
    ['the stronger bound', [{ minimum: 1 }, { minimum: 3, maximum: 9 }, { maximum: 5 }], { minimum: 3, maximum: 5 }],
    ['a whole number', [{ type: 'number' }, { type: 'integer' }], { type: 'integer' }],
    [
      'elements together',
      [{ items: { type: 'string' } }, { items: { maxLength: 3 } }],
      { items: { type: 'string', maxLength: 3 } },
    ],
    ['two patterns', [{ pattern: 'a' }, { pattern: 'b' }], { pattern: 'a', allOf: [{ pattern: 'b' }] }],
    ['what is undefined not at all', [{ minLength: undefined }], {}],
  ])('%s', (_name, schemas, merged) => {
    expect(mergeSchemas(schemas)).toEqual(merged)
  })

  const part: fc.Arbitrary<Schema> = fc.oneof(
    fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'array') }),
    fc.record({ minimum: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ maximum: fc.integer({ min: -2, max: 4 }) }),
    fc.record({ minLength: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ pattern: fc.constantFrom('a', '^b', 'c$') }),
    fc.record({ enum: fc.constantFrom<unknown[]>([1, 2], ['a', 'b'], ['a', 1]) }),
    fc.record({ items: fc.record({ type: fc.constantFrom('string', 'number') }) }),
  )
  const value = fc.oneof(
    fc.constantFrom('a', 'b', 'abc', ''),
    fc.integer({ min: -3, max: 5 }),
    fc.double({ noNaN: true }),
    fc.array(fc.constantFrom('a', 1)),
  )
  const ajv = new Ajv({ strict: false })

  test('takes what all of them take, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), value, (schemas, given) => {
        const together = ajv.validate(mergeSchemas(schemas), given)
        expect(together).toBe(schemas.every((schema) => ajv.validate(schema, given)))
      }),
      { numRuns: 500 },
    )
  })
})

describe('withNull(schema)', () => {
  const ajv = new Ajv({ strict: false })

  test.each<[Schema, Schema]>([
    [{}, {}],
    [
      { type: 'string', maxLength: 3 },
      { type: ['string', 'null'], maxLength: 3 },
    ],
    [
      { type: 'string', enum: ['a'] },
      { type: ['string', 'null'], enum: ['a', null] },
    ],
    [{ enum: ['a', 1] }, { anyOf: [{ enum: ['a', 1] }, { type: 'null' }] }],
    [{ $ref: '#/a' }, { anyOf: [{ $ref: '#/a' }, { type: 'null' }] }],
    [{ type: 'string', const: 'a' }, { anyOf: [{ type: 'string', const: 'a' }, { type: 'null' }] }],
  ])('%j is %j', (schema, nullable) => {
    expect(withNull(schema)).toEqual(nullable)
    if (!schema.$ref) expect(ajv.validate(nullable, null)).toBe(true)
  })
})

describe('toEnum(values)', () => {
  test.each<[unknown[], Schema]>([
    [['a', 'b'], { type: 'string', enum: ['a', 'b'] }],
    [['a', 1, true], { enum: ['a', 1, true] }],
    [[new Date(0)], { type: 'string', enum: ['1970-01-01T00:00:00.000Z'] }],
    [[null], { type: 'null', enum: [null] }],
  ])('%j', (values, schema) => {
    expect(toEnum(values)).toEqual(schema)
  })
})
