import { deepStrictEqual } from 'node:assert'
import { request } from 'node:http'
import type { Answer, Probe, Workload } from '../workloads/workload'
import { ServerProcess } from './server-process'

/**
 * Asks every contender the same and compares the answers with those of the first.
 *
 * @param workload what is asked
 * @param contenders the first is the reference
 * @param routes parameter routes of the application
 * @returns one sentence a difference
 */
export async function differences(
  workload: Workload,
  contenders: readonly string[],
  routes: number,
): Promise<string[]> {
  const found: string[] = []
  let reference: unknown[] | undefined
  for (const contender of contenders) {
    const server = await ServerProcess.start(contender, workload.app, routes)
    try {
      const seen: unknown[] = []
      for (const probe of workload.probes) {
        const answer = await ask(server.origin, probe)
        const what = `${workload.id} ${contender}: ${probe.method} ${probe.path}`
        if (answer.status !== probe.status)
          found.push(`${what} gives ${answer.status}, not ${probe.status}: ${answer.body}`)
        seen.push(essence(answer, probe))
        const problem = reference && difference(reference[seen.length - 1], seen[seen.length - 1])
        if (problem) found.push(`${what} differs from ${contenders[0]}\n${problem}`)
      }
      reference ??= seen
    } finally {
      await server.stop()
    }
  }
  return found
}

/** What must be equal of an answer. */
function essence(answer: Answer, { compare, headers = [] }: Probe): unknown {
  if (compare === 'status') return answer.status
  if (compare !== 'bytes') {
    try {
      return compare(answer)
    } catch (error) {
      return `unreadable: ${String(error)}: ${answer.body}`
    }
  }
  return {
    status: answer.status,
    type: mediaType(answer.headers['content-type']),
    headers: headers.map((name) => answer.headers[name]),
    body: answer.body,
  }
}

/** Type and charset, without regard to case and blanks; JSON has no other charset than UTF-8 (RFC 8259 §8.1). */
function mediaType(value = ''): string {
  return value
    .toLowerCase()
    .replace(/\s/g, '')
    .replace(/^(application\/json);charset=utf-8$/, '$1')
}

function difference(expected: unknown, actual: unknown): string | undefined {
  try {
    deepStrictEqual(actual, expected)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Asks once, over a connection of its own. */
export function ask(origin: string, { method, path, body }: Pick<Probe, 'method' | 'path' | 'body'>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }
    const outgoing = request(`${origin}${path}`, { method, agent: false, headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers as Record<string, string | undefined>,
          body: Buffer.concat(chunks).toString(),
        })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
