import { everybody, few, own, peers, standard } from './contenders'
import type { Effort } from './harness/throughput'
import { millionNames, storeNames } from './stores/names'
import { workloads } from './workloads/all'
import type { Workload } from './workloads/workload'

export const usage = `npm run bench -- [NAMES] [--quick] [--check] [--peers] [--rounds N] [--json FILE] [--node PATH]
npm run bench -- --guard | micro | path [NAMES] | memory [NAMES] [--requests N]
npm run bench -- stores [STORES] [--rounds N] [--json FILE]
npm run bench -- stores million [STORES] [--documents N] [--rounds N] [--json FILE]

NAMES         workloads (w1 w2 w3 w4 w5, w4-last …, startup) and contenders (${own.join(' ')},
              ${peers.join(' ')});
              none of a kind: the usual. The first contender is what ratios refer to.
--quick       short rounds of raw, koa, koa-router and kumu, in less than two minutes
--check       only compare the answers
--peers       every contender; the frameworks of others are installed into bench/peers where they are not
--rounds N    how often each is measured
--json FILE   write the ratios and every sample
--node PATH   the node that runs the servers; also KUMU_BENCH_NODE
--guard       fail where Kumu's ratios to raw node fall below those of bench/guard.json
path          microseconds a request that servers spend themselves: connections in memory, without peers
micro         nanoseconds of single steps: routing, reading, checking, writing
memory        heap and memory over many requests
--requests N  how many of them in all, 10,000,000 where it is not said
stores        operations a second of STORES (${storeNames.join(' ')}) beside the bare
              client libraries; in N pairs of slices, 24 where it is not said
million       milliseconds of a page of a large collection beside SQL written by hand (${millionNames.join(' ')})
--documents N how large, 1,000,000 where it is not said`

/** What was asked for. */
export type Options =
  MeasureOptions | { readonly mode: 'guard' | 'micro' } | PathOptions | MemoryOptions | StoresOptions | MillionOptions

export interface MeasureOptions {
  readonly mode: 'measure'
  readonly workloads: readonly Workload[]
  readonly startup: boolean
  readonly contenders: readonly string[]
  readonly check: boolean
  readonly effort: Effort
  readonly json?: string
}

export interface PathOptions {
  readonly mode: 'path'
  readonly workloads: readonly Workload[]
  readonly contenders: readonly string[]
}

export interface MemoryOptions {
  readonly mode: 'memory'
  readonly requests: number
  readonly contenders: readonly string[]
}

export interface StoresOptions {
  readonly mode: 'stores'
  readonly stores: readonly string[]
  readonly pairs: number
  readonly json?: string
}

export interface MillionOptions {
  readonly mode: 'million'
  readonly stores: readonly string[]
  readonly documents: number
  readonly rounds: number
  readonly json?: string
}

/** What the words of a command line say, before it is known whether they go together. */
interface Words {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly names: readonly string[]
}

const flagNames = new Set(['--quick', '--check', '--peers', '--guard'])
const valueNames = new Set(['--rounds', '--json', '--node', '--requests', '--documents'])
const modes = new Set(['startup', 'micro', 'path', 'memory', 'stores', 'million'])

/**
 * Reads a command line; `--node` becomes `KUMU_BENCH_NODE`, for the processes that are started.
 *
 * @throws Error with the usage where it says something unknown
 */
export function parseOptions(given: readonly string[]): Options {
  const { flags, values, names } = readWords(given)
  const node = values.get('--node')
  if (node) process.env.KUMU_BENCH_NODE = node
  if (names.includes('memory')) {
    const contenders = names.filter((name) => everybody.includes(name))
    const requests = positive(values.get('--requests')) ?? 10_000_000
    return { mode: 'memory', requests, contenders: contenders.length > 0 ? contenders : ['koa-router', 'kumu'] }
  }
  if (names.includes('micro')) return { mode: 'micro' }
  if (flags.has('--guard')) return { mode: 'guard' }
  if (names.includes('stores')) return storesOptions({ flags, values, names })
  if (names.some((name) => name === 'million' || storeNames.includes(name))) throw new Error(usage)
  const quick = flags.has('--quick')
  // As they were given: the first is the reference.
  const contenders = [...new Set(names.filter((name) => everybody.includes(name)))]
  const asked = names.filter((name) => !everybody.includes(name) && name !== 'path')
  if (names.includes('path')) {
    const those = workloads.filter(({ id }) => asked.length === 0 || asked.some((name) => covers(name, id)))
    return { mode: 'path', workloads: those, contenders: contenders.length > 0 ? contenders : few }
  }
  const effort = quick
    ? { rounds: 3, warmUp: 1, measured: 1, fresh: false }
    : { rounds: 7, warmUp: 2, measured: 4, fresh: true }
  return {
    mode: 'measure',
    workloads: workloads.filter(({ id }) =>
      asked.length > 0 ? asked.some((name) => covers(name, id)) : !quick || !['w4-first', 'w4-middle'].includes(id),
    ),
    startup: asked.length > 0 ? asked.includes('startup') : !quick,
    contenders: contenders.length > 0 ? contenders : usual(flags),
    check: flags.has('--check'),
    effort: { ...effort, rounds: positive(values.get('--rounds')) ?? effort.rounds },
    json: values.get('--json'),
  }
}

function storesOptions({ values, names }: Words): StoresOptions | MillionOptions {
  const asked = names.filter((name) => storeNames.includes(name))
  const json = values.get('--json')
  const rounds = positive(values.get('--rounds'))
  if (!names.includes('million')) {
    return { mode: 'stores', stores: asked.length > 0 ? asked : storeNames, pairs: rounds ?? 24, json }
  }
  if (asked.some((name) => !millionNames.includes(name))) throw new Error(usage)
  const documents = positive(values.get('--documents')) ?? 1_000_000
  return { mode: 'million', stores: asked.length > 0 ? asked : millionNames, documents, rounds: rounds ?? 100, json }
}

function readWords(given: readonly string[]): Words {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const names: string[] = []
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? ''
    if (flagNames.has(word)) flags.add(word)
    else if (valueNames.has(word)) values.set(word, required(given[++at]))
    else if (isName(word)) names.push(word)
    else throw new Error(usage)
  }
  return { flags, values, names }
}

function usual(flags: ReadonlySet<string>): readonly string[] {
  if (flags.has('--peers')) return everybody
  return flags.has('--quick') ? few : standard
}

function isName(word: string): boolean {
  return (
    modes.has(word) ||
    storeNames.includes(word) ||
    everybody.includes(word) ||
    workloads.some(({ id }) => covers(word, id))
  )
}

function covers(name: string, id: string): boolean {
  return id === name || id.startsWith(`${name}-`)
}

function required(word: string | undefined): string {
  if (word === undefined || word === '') throw new Error(usage)
  return word
}

function positive(word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  const value = Number(word)
  if (!Number.isInteger(value) || value < 1) throw new Error(usage)
  return value
}
