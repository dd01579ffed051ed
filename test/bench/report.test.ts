import type { StartSample } from '../../bench/harness/startup'
import type { Sample } from '../../bench/harness/throughput'
import { type Circumstances, toReport } from '../../bench/report'

const circumstances: Circumstances = {
  node: 'v20.19.0',
  processor: 'a processor',
  pinned: true,
  reference: 'raw',
  effort: { rounds: 3, warmUp: 1, measured: 1, fresh: false },
}

function samplesOf(contender: string, ...cpus: number[]): Sample[] {
  return cpus.map((cpu, round) => ({ contender, round, cpu, perSecond: 1, p50: 1, p99: 1, rss: 1 }))
}

describe('toReport(circumstances, throughput, starts)', () => {
  it('the median of the ratios of the same rounds, to two decimals', () => {
    const samples = [...samplesOf('raw', 10, 20, 10), ...samplesOf('kumu', 20, 21, 30), ...samplesOf('koa', 40, 40, 40)]
    const { W1 } = toReport(circumstances, { w1: samples }, [])
    expect(W1).toEqual({ raw: 1, kumu: 0.5, koa: 0.25 })
  })

  it("W4: a ratio a route, Kumu's at the top", () => {
    const throughput = Object.fromEntries(
      [1, 2, 4].map((cost, index) => [
        `w4-${['first', 'middle', 'last'][index]}`,
        [...samplesOf('raw', 1), ...samplesOf('kumu', cost), ...samplesOf('koa', 2 * cost)],
      ]),
    )
    const report = toReport(circumstances, throughput, [])
    expect(report.W4).toEqual({
      first: 1,
      middle: 0.5,
      last: 0.25,
      raw: { first: 1, middle: 1, last: 1 },
      kumu: { first: 1, middle: 0.5, last: 0.25 },
      koa: { first: 0.5, middle: 0.25, last: 0.13 },
    })
    expect(report).not.toHaveProperty('W4-FIRST')
  })

  it('only what was measured, with where and how, and the samples', () => {
    const throughput = { w5: samplesOf('raw', 1) }
    expect(toReport(circumstances, throughput, [])).toEqual({
      ...circumstances,
      W5: { raw: 1 },
      startup: { medians: {}, goals: {} },
      samples: { throughput, starts: [] },
    })
  })

  it('nothing of a contender whose rounds the reference does not share', () => {
    const samples = [...samplesOf('raw', 1), ...samplesOf('kumu', 1, 1).slice(1)]
    expect(toReport(circumstances, { w1: samples }, []).W1).toEqual({ raw: 1 })
  })

  it('startup: medians by name, and what is asked of Kumu', () => {
    const start = (contender: string, app: 'w1' | 'w2', routes: number, time: number, rss: number): StartSample[] =>
      [0, 1, 2].map((round) => ({ contender, app, routes, round, time: time + round, rss }))
    const starts = [
      ...start('koa', 'w1', 0, 99, 40),
      ...start('koa-router', 'w1', 0, 200, 80),
      ...start('koa-validator', 'w2', 0, 400, 100),
      ...start('kumu', 'w1', 0, 149, 60),
      ...start('kumu', 'w1', 1000, 179, 60),
      ...start('kumu', 'w2', 0, 200, 75),
    ]
    const { startup } = toReport(circumstances, {}, starts)
    expect(startup).toMatchObject({
      medians: {
        koa: { time: 100, timesKoa: 1, rss: 40 },
        kumu: { time: 150, timesKoa: 1.5, rss: 60 },
        'kumu, 1000 routes more': { time: 180 },
      },
      goals: {
        'no body routes, × bare Koa': 1.5,
        'DTO, × koa-validator': 0.5,
        '1000 routes add, ms': 30,
        'no body routes, RSS idle × koa-router': 0.75,
        'DTO, RSS idle × koa-validator': 0.75,
      },
    })
    expect(startup).not.toHaveProperty(['goals', 'DTO, RSS idle × koa-router'])
  })
})
