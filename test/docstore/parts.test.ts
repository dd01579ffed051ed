import fc from 'fast-check'
import { chunked, collect } from '../../src/docstore/body'
import { KeyLocks } from '../../src/docstore/key-locks'
import { Sequence } from '../../src/docstore/sequence'
import { SortedSet } from '../../src/docstore/sorted-set'

const word = fc.string({ unit: fc.constantFrom('a', 'B', '-', '_', '0'), maxLength: 3 })

describe('SortedSet', () => {
  it('pages like a sorted array', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), word)),
        word,
        fc.option(word, { nil: undefined }),
        fc.integer({ min: 1, max: 5 }),
        (ops, prefix, after, limit) => {
          const [set, oracle] = [new SortedSet(), new Set<string>()]
          for (const [adds, value] of ops) {
            if (adds) set.add(value)
            else set.delete(value)
            if (adds) oracle.add(value)
            else oracle.delete(value)
          }
          const matching = [...oracle].sort().filter((value) => value.startsWith(prefix))
          const behind = matching.filter((value) => after === undefined || value > after)
          const before = matching.filter((value) => after === undefined || value < after)
          expect(set.first).toBe([...oracle].sort()[0])
          expect(set.page(prefix, after, limit, false)).toEqual(behind.slice(0, limit + 1))
          expect(set.page(prefix, after, limit, true)).toEqual(before.reverse().slice(0, limit + 1))
        },
      ),
      { seed: 3, numRuns: 500 },
    )
  })
})

describe('chunked(source, size)', () => {
  it('cuts the same bytes anew', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 9 })),
        fc.integer({ min: 1, max: 7 }),
        async (pieces, size) => {
          async function* source(): AsyncGenerator<Uint8Array> {
            yield* pieces
          }
          const whole = Buffer.concat(pieces)
          for (const input of [source(), new Uint8Array(whole)]) {
            const chunks: Uint8Array[] = []
            for await (const chunk of chunked(input, size)) chunks.push(chunk)
            expect(Buffer.concat(chunks).equals(whole)).toBe(true)
            expect(chunks.slice(0, -1).every((chunk) => chunk.byteLength === size)).toBe(true)
            expect(chunks.length).toBe(Math.ceil(whole.byteLength / size))
          }
          expect(Buffer.from(await collect(source())).equals(whole)).toBe(true)
        },
      ),
      { seed: 4 },
    )
  })
})

describe('KeyLocks', () => {
  it('runs one at a time for a key, in order, whatever came of the one before', async () => {
    const locks = new KeyLocks()
    const log: string[] = []
    const work =
      (name: string, fails = false) =>
      async () => {
        log.push(`${name} in`)
        await Promise.resolve()
        log.push(`${name} out`)
        if (fails) throw new Error(name)
      }
    const results = await Promise.allSettled([
      locks.run('a', work('1', true)),
      locks.run('a', work('2')),
      locks.run('b', work('3')),
      locks.runAll(['b', 'a'], work('4')),
      locks.runAll(['a', 'b'], work('5')),
    ])
    expect(results.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ])
    const ofA = log.filter((line) => !line.startsWith('3'))
    expect(ofA).toEqual(['1', '2', '4', '5'].flatMap((name) => [`${name} in`, `${name} out`]))
    expect(log.indexOf('3 in')).toBeLessThan(log.indexOf('1 out'))
  })
})

describe('Sequence', () => {
  it('reads what it wrote, and nothing of another life', () => {
    const [one, other] = [new Sequence('abc', 1e12), new Sequence('abd', 1e12)]
    fc.assert(
      fc.property(fc.nat(1e12), (number) => {
        expect(one.parse(one.format(number))).toBe(number)
        expect(other.parse(one.format(number))).toBeUndefined()
      }),
      { seed: 5 },
    )
    for (const text of ['', 'abc', 'abc-', 'abc-A', 'abc-1 ', 'abc-zzzzzzzzzzz', `abc-${(1e12 + 1).toString(36)}`]) {
      expect(one.parse(text)).toBeUndefined()
    }
  })
})
