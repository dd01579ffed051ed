import { createServer, Server } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { scriptOf } from '../contenders'
import { median, table } from '../harness/statistics'
import { contenderOf } from '../servers/serve'
import { workloads } from '../workloads/all'
import type { BenchRequest, Workload } from '../workloads/workload'
import { MemoryConnection, type RequestBytes } from './connection'

// The path of a request without the operating system: connections in memory, contenders in turn in slices of some
// milliseconds. What a shared machine does to one slice it does to its neighbours.

const connections = 50
/** Milliseconds. */
const [warmUp, slice] = [1500, 25]
const rounds = 160

interface Runner {
  readonly name: string
  readonly wires: readonly MemoryConnection[]
  readonly requests: readonly RequestBytes[]
  /** Microseconds a request, slice by slice. */
  readonly costs: number[]
  next: number
}

function toBytes({ method, path, body }: BenchRequest): RequestBytes {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1:3000']
  if (body !== undefined) head.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`)
}

async function createRunner(name: string, workload: Workload): Promise<Runner> {
  const contender = contenderOf(() => require(scriptOf(name)) as unknown)
  const made = await contender[workload.app](workload.routes)
  if (typeof made !== 'function' && !(made instanceof Server)) throw new Error(`${name} brings no listener`)
  const server = made instanceof Server ? made : createServer(made)
  const wires = Array.from({ length: connections }, () => {
    const wire = new MemoryConnection()
    server.emit('connection', wire)
    return wire
  })
  return { name, wires, requests: workload.load.map(toBytes), costs: [], next: 0 }
}

/** Drives one contender for so long; microseconds a request. */
async function drive(runner: Runner, duration: number): Promise<number> {
  const { wires, requests } = runner
  const begin = process.hrtime.bigint()
  const end = begin + BigInt(duration * 1e6)
  let answered = 0
  let now = begin
  while (now < end) {
    for (const wire of wires) {
      wire.answered = 0
      wire.push(requests[runner.next++ % requests.length])
    }
    let turns = 0
    while (wires.some((wire) => wire.answered === 0)) {
      if (++turns > 1000) throw new Error(`${runner.name} does not answer`)
      await turn()
    }
    answered += wires.length
    now = process.hrtime.bigint()
  }
  return Number(now - begin) / 1000 / answered
}

async function measurePath(workload: Workload, names: readonly string[]): Promise<void> {
  const runners: Runner[] = []
  for (const name of names) runners.push(await createRunner(name, workload))
  for (const runner of runners) await drive(runner, warmUp)
  for (let round = 0; round < rounds; round++) {
    for (const runner of runners) runner.costs.push(await drive(runner, slice))
  }
  const [reference] = runners
  const rows = runners.map(({ name, costs }) => {
    const over = costs.map((cost, round) => cost - (reference?.costs[round] ?? NaN))
    return [name, median(costs).toFixed(2), Math.min(...costs).toFixed(2), median(over).toFixed(2)]
  })
  console.log(
    `\n${workload.id}: ${workload.title}\n${table(['', 'µs', 'least', `over ${reference?.name ?? ''}`], rows)}`,
  )
}

async function main([id, ...names]: readonly string[]): Promise<void> {
  const workload = workloads.find((one) => one.id === id)
  if (!workload) throw new Error(`There is no workload ${id ?? ''}`)
  await measurePath(workload, names)
  process.exit(0)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
