import { few, peers, standard } from '../../bench/contenders'
import { type MeasureOptions, parseOptions } from '../../bench/options'
import { workloads } from '../../bench/workloads/all'

function measured(...words: string[]): MeasureOptions {
  const options = parseOptions(words)
  if (options.mode !== 'measure') throw new Error(`${words.join(' ')} is ${options.mode}`)
  return options
}

function ids({ workloads }: MeasureOptions): string[] {
  return workloads.map(({ id }) => id)
}

describe('parseOptions(words)', () => {
  it('measures everything of the usual contenders where nothing is said', () => {
    const options = measured()
    expect(options).toMatchObject({ contenders: standard, startup: true, check: false, json: undefined })
    expect(ids(options)).toEqual(['w1', 'w2', 'w3', 'w4-first', 'w4-middle', 'w4-last', 'w5'])
    expect(options.effort).toEqual({ rounds: 7, warmUp: 2, measured: 4, fresh: true })
  })

  it('--quick: few contenders, the last of many routes, no starts', () => {
    const options = measured('--quick')
    expect(options).toMatchObject({ contenders: few, startup: false, effort: { rounds: 3, fresh: false } })
    expect(ids(options)).toEqual(['w1', 'w2', 'w3', 'w4-last', 'w5'])
  })

  it('--peers: everybody, also quickly', () => {
    expect(measured('--peers').contenders).toEqual(expect.arrayContaining(['raw', 'koa-straight', 'kumu', ...peers]))
    expect(measured('--peers', '--quick').contenders).toEqual(measured('--peers').contenders)
    expect(measured('--peers').contenders[0]).toBe('raw')
  })

  it('names in their order, once, the first contender being the reference', () => {
    const options = measured('kumu', 'w4', 'raw', 'kumu', 'w1')
    expect(options.contenders).toEqual(['kumu', 'raw'])
    expect(ids(options)).toEqual(['w1', 'w4-first', 'w4-middle', 'w4-last'])
    expect(options.startup).toBe(false)
  })

  it('startup alone needs no workload', () => {
    expect(measured('startup', 'kumu', 'koa')).toMatchObject({ startup: true, workloads: [] })
  })

  it('--check, --rounds and --json', () => {
    const options = measured('--check', '--rounds', '2', '--json', 'out.json')
    expect(options).toMatchObject({ check: true, json: 'out.json', effort: { rounds: 2 } })
  })

  it('guard, micro and memory are what else there is', () => {
    expect(parseOptions(['--guard'])).toEqual({ mode: 'guard' })
    expect(parseOptions(['micro'])).toEqual({ mode: 'micro' })
    const both = ['koa-router', 'kumu']
    expect(parseOptions(['memory'])).toEqual({ mode: 'memory', requests: 10_000_000, contenders: both })
    expect(parseOptions(['memory', 'kumu', '--requests', '500'])).toEqual({
      mode: 'memory',
      requests: 500,
      contenders: ['kumu'],
    })
  })

  it('path takes workloads and contenders', () => {
    expect(parseOptions(['path'])).toEqual({ mode: 'path', workloads, contenders: few })
    const two = workloads.filter(({ id }) => ['w1', 'w5'].includes(id))
    const options = parseOptions(['path', 'w1', 'w5', 'raw', 'kumu'])
    expect(options).toEqual({ mode: 'path', workloads: two, contenders: ['raw', 'kumu'] })
  })

  it('stores takes drivers and pairs of slices', () => {
    const all = ['sqlite', 'postgres', 'redis', 'nats', 'level', 'file']
    expect(parseOptions(['stores'])).toEqual({ mode: 'stores', stores: all, pairs: 24, json: undefined })
    expect(parseOptions(['stores', 'redis', 'file', '--rounds', '5', '--json', 'out.json'])).toEqual({
      mode: 'stores',
      stores: ['redis', 'file'],
      pairs: 5,
      json: 'out.json',
    })
  })

  it('stores million takes the drivers that have indexes, and how many documents', () => {
    const usual = {
      mode: 'million',
      stores: ['sqlite', 'postgres'],
      documents: 1_000_000,
      rounds: 100,
      json: undefined,
    }
    expect(parseOptions(['stores', 'million'])).toEqual(usual)
    expect(parseOptions(['stores', 'million', 'sqlite', '--documents', '500', '--rounds', '7'])).toEqual({
      ...usual,
      stores: ['sqlite'],
      documents: 500,
      rounds: 7,
    })
  })

  it('--node reaches the servers by KUMU_BENCH_NODE', () => {
    const before = process.env.KUMU_BENCH_NODE
    try {
      parseOptions(['--node', '/opt/node/bin/node'])
      expect(process.env.KUMU_BENCH_NODE).toBe('/opt/node/bin/node')
    } finally {
      if (before === undefined) delete process.env.KUMU_BENCH_NODE
      else process.env.KUMU_BENCH_NODE = before
    }
  })

  it.each([
    [['w9']],
    [['express']],
    [['--fast']],
    [['--rounds']],
    [['--rounds', '0']],
    [['--rounds', '1.5']],
    [['memory', '--requests', 'many']],
    [['sqlite']],
    [['million']],
    [['stores', 'million', 'redis']],
    [['stores', 'mongodb']],
    [['stores', 'million', '--documents', '0']],
    [['--json']],
    [['']],
  ])('%j is answered with the usage', (words) => {
    expect(() => parseOptions(words)).toThrow(/^npm run bench/)
  })
})
