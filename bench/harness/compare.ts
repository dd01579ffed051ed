import { deepStrictEqual } from 'node:assert'
import { request } from 'node:http'
import { isPeer } from '../contenders'
import type { Answer, Probe, Workload } from '../workloads/workload'
import { ServerProcess, type ServerStart } from './server-process'

/** What came of comparing answers. */
export interface Comparison {
  /** One sentence a difference. */
  readonly differences: readonly string[]
  /** Peers that do not start here, with the reason. */
  readonly absent: ReadonlyMap<string, string>
}

/**
 * Asks every contender the same and compares the answers with those of the first.
 *
 * @param workload what is asked
 * @param contenders the first is the reference
 * @throws Error where one that is no peer does not start
 */
export async function compareAnswers(workload: Workload, contenders: readonly string[]): Promise<Comparison> {
  const found: string[] = []
  const absent = new Map<string, string>()
  let reference: readonly Answer[] | undefined
  for (const contender of contenders) {
    const answers = await askAll({ ...workload, contender }, workload.probes).catch((error: Error) => {
      if (!isPeer(contender)) throw error
      absent.set(contender, error.message)
      return undefined
    })
    if (!answers) continue
    for (const [index, probe] of workload.probes.entries()) {
      const answer = answers[index]
      if (!answer) continue
      const what = `${workload.id} ${contender}: ${probe.method} ${probe.path}`
      const first = reference?.[index]
      const wrong =
        isPeer(contender) && probe.status >= 400
          ? wrongRefusal(answer, probe)
          : (wrongStatus(answer, probe) ?? (first && difference(essence(first, probe), essence(answer, probe))))
      if (wrong) found.push(`${what}: ${wrong}`)
    }
    reference ??= answers
  }
  return { differences: found, absent }
}

async function askAll(start: ServerStart, probes: readonly Probe[]): Promise<Answer[]> {
  const server = await ServerProcess.start(start)
  try {
    const answers: Answer[] = []
    for (const probe of probes) answers.push(await ask(server.origin, probe))
    return answers
  } finally {
    await server.stop()
  }
}

function wrongStatus({ status, body }: Answer, probe: Probe): string | undefined {
  return status === probe.status ? undefined : `${status}, not ${probe.status}: ${body}`
}

/**
 * What is wrong with the refusal of a framework that has a document of its own: it must be a 4xx that names everything that
 * is wrong with the request.
 */
export function wrongRefusal({ status, body }: Answer, { names = [] }: Probe): string | undefined {
  if (status < 400 || status > 499) return `${status}, no 4xx: ${body}`
  const unnamed = names.filter((name) => !new RegExp(`(?<![a-z])${name}(?![a-z])`).test(body))
  return unnamed.length > 0 ? `does not name ${unnamed.join(', ')}: ${body}` : undefined
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
    return `differs from the first\n${(error as Error).message}`
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
