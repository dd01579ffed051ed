import fc from 'fast-check'
import { quotingMessages, withoutQuotation } from '../../src/validation/quotes'

describe('withoutQuotation(message, value)', () => {
  it.each([
    [
      'zod, a type',
      'Invalid input: expected number, received string',
      'x7',
      'Invalid input: expected number, received string',
    ],
    [
      'zod, what is missing',
      'Invalid input: expected string, received undefined',
      undefined,
      'Invalid input: expected string, received undefined',
    ],
    [
      'zod 3, a choice',
      "Invalid enum value. Expected 'a' | 'b', received 'secret'",
      'secret',
      "Invalid enum value. Expected 'a' | 'b'",
    ],
    [
      'valibot, a type',
      'Invalid type: Expected number but received "secret"',
      'secret',
      'Invalid type: Expected number',
    ],
    [
      'valibot, a kind',
      'Invalid type: Expected number but received Object',
      {},
      'Invalid type: Expected number but received Object',
    ],
    ['valibot, a format', 'Invalid email: Received "secret"', 'secret', 'Invalid email'],
    ['valibot, a number', 'Invalid value: Expected >=5 but received 1.5', 1.5, 'Invalid value: Expected >=5'],
    [
      'valibot, the begin of it',
      'Invalid start: Expected "q" but received "s"',
      'secret',
      'Invalid start: Expected "q"',
    ],
    ['arktype, a type', 'a must be a number (was a string)', 'secret', 'a must be a number (was a string)'],
    ['arktype, what is missing', 'a must be a string (was missing)', undefined, 'a must be a string (was missing)'],
    ['arktype, a format', 'a must be an email address (was "secret")', 'secret', 'a must be an email address'],
    [
      'arktype, several',
      'a ("secret") must be...\n  ◦ an email address\n  ◦ a UUID',
      'secret',
      'a must be...\n  ◦ an email address\n  ◦ a UUID',
    ],
    ['lines behind the quotation', 'a must be b (was "x\ny)")\nand more', 'x\ny)', 'a must be b'],
    ['a quotation that begins like a kind', 'but received string "secret"', 'secret', undefined],
    ['an author who names it', 'The name secret is taken', 'secret', undefined],
    ['an author who escapes it', 'The name "a\\"b" is taken', 'a"b', undefined],
    ['a short text between quotes', 'The name "ab" is taken', 'ab', undefined],
    ['a short text in a word', 'a must be absent', 'ab', 'a must be absent'],
    ['a number', 'seven is not 42', 42, undefined],
    ['a number in another', 'must be at most 420 or 4.2', 42, 'must be at most 420 or 4.2'],
    ['signs that mean something to expressions', 'is "(" good', '(', undefined],
    ['nothing else', 'Received "secret"', 'secret', undefined],
  ] as const)('%s', (_, message, value, told) => {
    expect(withoutQuotation(message, value)).toBe(told)
  })

  it('clips what is no sentence', () => {
    expect(withoutQuotation('no '.repeat(1000), 7)).toHaveLength(401)
    expect(withoutQuotation(`Invalid type: Expected number but received "${'s'.repeat(2_000_000)}"`, 's')).toBe(
      'Invalid type: Expected number',
    )
  })

  it('never tells a text of three characters or more', () => {
    const templates: readonly ((text: string) => string)[] = [
      (text) => `Expected number but received ${JSON.stringify(text)}`,
      (text) => `must be even (was ${text})`,
      (text) => `${text} is taken`,
      (text) => `before ${text} and after`,
      (text) => `a (${JSON.stringify(text)}) must be...`,
    ]
    fc.assert(
      fc.property(fc.string({ minLength: 3, unit: 'grapheme' }), fc.constantFrom(...templates), (text, template) => {
        const told = withoutQuotation(template(text), text)
        expect(told ?? '').not.toContain(text)
      }),
      { seed: 83, numRuns: 2000 },
    )
  })
})

describe('quotingMessages(messages, input)', () => {
  const quoting = (message: string, input: unknown): boolean => quotingMessages(new Set([message]), input).has(message)

  it.each([
    ['the excerpt of a parser', 'Unexpected token, "my-secret-"... is not JSON', { a: 'my-secret-key' }, true],
    ['another member', 'must not equal hunter22', { a: { b: ['hunter22'] }, c: 1 }, true],
    ['another case', 'The name ADALOVELACE is taken', { name: 'AdaLovelace' }, true],
    ['a long number', 'account 12345678 is closed', { account: 12345678 }, true],
    ['the end of a text', 'ends with 23456789', { a: `${'x'.repeat(1000)}123456789` }, true],
    ['less than eight characters', 'The name secret is taken', { a: 'secret' }, false],
    ['nothing in common', 'Invalid email address', { a: 'my-secret-key', b: [true, null, 1.5] }, false],
    ['names of members', 'Unrecognized key: "nickname"', { nickname: 'x' }, false],
  ] as const)('%s', (_, message, input, expected) => {
    expect(quoting(message, input)).toBe(expected)
  })

  it('agrees with a search for every run of eight characters', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40 })
    fc.assert(
      fc.property(text, text, (message, submitted) => {
        const runs = Array.from({ length: Math.max(0, message.length - 7) }, (_, start) =>
          message.slice(start, start + 8),
        )
        expect(quoting(message, [submitted])).toBe(runs.some((run) => submitted.includes(run)))
      }),
      { seed: 83, numRuns: 2000 },
    )
  })

  it('reads a body of a megabyte once for a hundred messages', () => {
    const messages = new Set(Array.from({ length: 100 }, (_, index) => `${'aaaab'.repeat(80)}${index}`))
    const start = performance.now()
    quotingMessages(messages, { text: 'aaaac'.repeat(200_000) })
    expect(performance.now() - start).toBeLessThan(2000)
  })
})
