import { duel, summaryOf } from '../../bench/stores/duel'
import { largeSummary, makeDocument } from '../../bench/stores/million'

describe('duel(effort, { bare, kumu })', () => {
  it('measures both in every pair, never more at a time than it was told', async () => {
    let underWay = 0
    let most = 0
    const turns = { bare: new Set<number>(), kumu: new Set<number>() }
    const step = (side: 'bare' | 'kumu') => async (turn: number) => {
      expect(turns[side].has(turn)).toBe(false)
      turns[side].add(turn)
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
    }
    const pairs = await duel({ pairs: 3, slice: 5, concurrency: 4 }, { bare: step('bare'), kumu: step('kumu') })
    expect(pairs).toHaveLength(3)
    for (const { bare, kumu } of pairs) expect(Math.min(bare, kumu)).toBeGreaterThan(0)
    expect(most).toBe(4)
  })

  it('tells who is slower', async () => {
    const wait = (times: number) => async () => {
      for (let time = 0; time < times; time++) await new Promise((resolve) => setImmediate(resolve))
    }
    const pairs = await duel({ pairs: 5, slice: 20, concurrency: 2 }, { bare: wait(1), kumu: wait(50) })
    expect(summaryOf(pairs).ratio).toBeLessThan(0.5)
  })
})

describe('summaryOf(pairs)', () => {
  it('is the median of the ratios of the pairs', () => {
    const pairs = [
      { bare: 100, kumu: 50 },
      { bare: 10, kumu: 9 },
      { bare: 1000, kumu: 700 },
    ]
    expect(summaryOf(pairs)).toEqual({ bare: 100, kumu: 50, ratio: 0.7 })
  })
})

describe('largeSummary(sample)', () => {
  it('is the median of the ratios of the rounds', () => {
    expect(largeSummary({ hand: [1, 2, 10], kumu: [2, 6, 10] })).toEqual({ hand: 2, kumu: 6, ratio: 2 })
  })
})

describe('makeDocument(number, documents)', () => {
  it('gives each author a hundred of all', () => {
    const authors = new Map<string, number>()
    const keys = new Set<string>()
    for (let number = 0; number < 1000; number++) {
      const { key, body } = makeDocument(number, 1000)
      const { author } = JSON.parse(body) as { author: string }
      authors.set(author, (authors.get(author) ?? 0) + 1)
      keys.add(key)
    }
    expect(keys.size).toBe(1000)
    expect([...authors.values()]).toEqual(Array.from({ length: 10 }, () => 100))
  })
})
