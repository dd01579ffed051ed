import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchRequest } from '../workloads/workload'
import { isInstalled, pinned } from './pinning'

/** What one stretch of load came to. */
export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const connections = 50

/** Tells how to get the load generator where it is missing. */
export function checkLoadGenerator(): void {
  if (isInstalled('wrk', ['--version'])) return
  throw new Error(
    'wrk is not installed; on Debian and Ubuntu: apt-get install wrk. `--check` compares answers without it.',
  )
}

/**
 * Sends requests in turn over 50 keep-alive connections.
 *
 * @param origin the server
 * @param requests sent one after the other, again and again
 * @param seconds how long
 * @param refused whether the answers are meant to be 4xx: wrk counts those as errors
 * @throws Error where an answer has another status, or a connection fails
 */
export async function load(
  origin: string,
  requests: readonly BenchRequest[],
  seconds: number,
  refused: boolean,
): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'kumu-bench-'))
  try {
    const script = join(folder, 'load.lua')
    writeFileSync(script, luaScript(requests))
    const parameters = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, origin]
    const output = await outputOf(...pinned('load', 'wrk', parameters))
    return readResult(output, refused)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function luaScript(requests: readonly BenchRequest[]): string {
  const lines = requests.map(({ method, path, body }) => {
    const headers = body === undefined ? 'nil' : '{ ["Content-Type"] = "application/json" }'
    return `  wrk.format(${lua(method)}, ${lua(path)}, ${headers}, ${body === undefined ? 'nil' : lua(body)}),`
  })
  return `
local requests, turn
function init(args)
  requests = {
${lines.join('\n')}
  }
  turn = 0
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"status":%d,"broken":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
`
}

/** A string of Lua. The texts are ASCII, for which JSON's escapes are Lua's. */
function lua(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error(`Only printable ASCII can be sent, not ${text}`)
  return JSON.stringify(text)
}

function readResult(output: string, refused: boolean): LoadResult {
  const line = /^RESULT (.*)$/m.exec(output)?.[1]
  if (!line) throw new Error(`wrk told no result:\n${output}`)
  const result = JSON.parse(line) as Record<'requests' | 'microseconds' | 'p50' | 'p99' | 'status' | 'broken', number>
  const { requests, microseconds, p50, p99, status, broken } = result
  if (broken > 0 || requests === 0 || status !== (refused ? requests : 0)) {
    throw new Error(`unexpected answers under load: ${line}`)
  }
  return { requests, perSecond: (requests * 1e6) / microseconds, p50: p50 / 1000, p99: p99 / 1000 }
}

function outputOf(program: string, parameters: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (status) =>
      status === 0 ? resolve(output) : reject(new Error(`${program} exited with ${status}`)),
    )
  })
}
