import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { Gathering, type GatheringSettings } from '../../src/docstore/gathering'

/** Groups as they go, each settled when the test says so. */
function createGathering(settings: Partial<GatheringSettings<string>> = {}): {
  readonly call: (input: string) => Promise<string>
  readonly groups: string[][]
  readonly settle: (index: number, failure?: Error) => void
} {
  const groups: string[][] = []
  const settlers: Array<(failure?: Error) => void> = []
  const gathering = new Gathering<string, string>({ lanes: 1, most: 100, ...settings }, (inputs) => {
    groups.push([...inputs])
    return new Promise((resolve, reject) => {
      settlers.push((failure) => {
        if (failure) reject(failure)
        else
          resolve(
            inputs.map((input) => (input.startsWith('!') ? { error: new Error(input) } : { output: `${input}.` })),
          )
      })
    })
  })
  return { call: (input) => gathering.call(input), groups, settle: (index, failure) => settlers[index]!(failure) }
}

describe('new Gathering(settings, run).call(input)', () => {
  it('sends at once what comes alone, and together what comes meanwhile', async () => {
    const { call, groups, settle } = createGathering()
    const first = call('a')
    await turn()
    const others = [call('b'), call('c')]
    await turn()
    expect(groups).toEqual([['a']])
    settle(0)
    expect(await first).toBe('a.')
    await turn()
    expect(groups).toEqual([['a'], ['b', 'c']])
    settle(1)
    expect(await Promise.all(others)).toEqual(['b.', 'c.'])
  })

  it('keeps so many groups under way as there are lanes', async () => {
    const { call, groups, settle } = createGathering({ lanes: 2 })
    const calls = []
    for (const input of ['a', 'b', 'c', 'd']) {
      calls.push(call(input))
      await turn()
    }
    expect(groups).toEqual([['a'], ['b']])
    settle(1)
    await turn()
    expect(groups).toEqual([['a'], ['b'], ['c', 'd']])
    settle(0)
    settle(2)
    expect(await Promise.all(calls)).toEqual(['a.', 'b.', 'c.', 'd.'])
  })

  it.each<[string, Partial<GatheringSettings<string>>, string[], string[][]]>([
    ['no more than the most', { most: 2 }, ['a', 'b', 'c', 'd', 'e'], [['a', 'b'], ['c', 'd'], ['e']]],
    [
      'one of each key',
      { keyOf: (input) => input[0]! },
      ['a1', 'b1', 'a2', 'b2', 'a3'],
      [['a1', 'b1'], ['a2', 'b2'], ['a3']],
    ],
    [
      'no more than the heaviest, and what is heavier alone',
      { heaviest: 3, weigh: (input) => input.length },
      ['aa', 'bb', 'c', 'dddd', 'ee'],
      [['aa', 'c'], ['bb'], ['dddd'], ['ee']],
    ],
  ])('%s', async (_, settings, inputs, expected) => {
    const { call, groups, settle } = createGathering(settings)
    const calls = Promise.all(inputs.map(call))
    for (let index = 0; index < expected.length; index++) {
      await turn()
      settle(index)
    }
    expect(await calls).toEqual(inputs.map((input) => `${input}.`))
    expect(groups).toEqual(expected)
  })

  it('tells each what became of it, and all of a group that failed as a whole', async () => {
    const { call, settle } = createGathering()
    const mixed = Promise.allSettled([call('a'), call('!b'), call('c')])
    await turn()
    const failing = Promise.allSettled([call('d'), call('e')])
    settle(0)
    expect((await mixed).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await turn()
    settle(1, new Error('all of it'))
    expect(await failing).toMatchObject([{ reason: { message: 'all of it' } }, { reason: { message: 'all of it' } }])
  })

  it('answers every call once, and calls of one key in their order', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(3)), { maxLength: 40 }),
        fc.record({
          lanes: fc.constant(1),
          most: fc.integer({ min: 1, max: 5 }),
          heaviest: fc.integer({ min: 1, max: 6 }),
        }),
        async (pairs, settings) => {
          const inputs = pairs.map(([key, weight], index) => ({ key, weight, index }))
          const done: typeof inputs = []
          const gathering = new Gathering<(typeof inputs)[number], number>(
            { ...settings, keyOf: ({ key }) => key, weigh: ({ weight }) => weight },
            async (group) => {
              expect(new Set(group.map(({ key }) => key)).size).toBe(group.length)
              expect(group.length).toBeLessThanOrEqual(settings.most)
              await turn()
              done.push(...group)
              return group.map(({ index }) => ({ output: index }))
            },
          )
          expect(await Promise.all(inputs.map((input) => gathering.call(input)))).toEqual(
            inputs.map(({ index }) => index),
          )
          for (const key of ['a', 'b', 'c']) {
            const own = (all: typeof inputs): typeof inputs => all.filter((input) => input.key === key)
            expect(own(done)).toEqual(own(inputs))
          }
        },
      ),
      { numRuns: 50 },
    ))
})
