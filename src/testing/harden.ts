import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../app'
import { ConfigurationError } from '../errors'
import type { RoutePlan } from '../route/plan'
import type { Finding } from './findings'
import type { Hostile } from './hostile'
import { hostileBodies } from './hostile-bodies'
import { hostileHeaders, hostileMethods } from './hostile-headers'
import { hostileTargets } from './hostile-targets'
import { createExchange, type Exchange, type RawAnswer } from './inject'
import { essenceOf, judge, type Answered, type Manners } from './judge'
import { watchProcess } from './process-watch'
import { toTargets, type Target } from './target'

/** Options of {@link harden}. */
export interface HardenOptions {
  /** Headers of every request but those that come without credentials: `{ authorization: 'Bearer …' }`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Values of path parameters by their names, of something that is there. Default: of the declared type. */
  readonly path?: Readonly<Record<string, string>>
  /** Routes that are left alone. Default: none. */
  readonly skip?: (plan: RoutePlan) => boolean
  /** Milliseconds that an answer may take. Default 10,000. */
  readonly timeout?: number
}

/** What hostile requests came to. */
export interface HardenReport {
  /** How many were sent. */
  readonly requests: number
  /** What got through; nothing is what it should be. */
  readonly findings: readonly Finding[]
}

/** Bytes of an answer that are looked at. */
const mostRead = 262_144

/**
 * Sends hostile requests to every route of an application, in process, and reports what got through: errors of the server,
 * input that breaks a declared rule and is taken, leaks, answers without what HTTP wants in them, prototypes that changed,
 * requests without an answer. It takes the package light-my-request. The requests write and delete: give it an application
 * on data to throw away.
 *
 * @param app the application
 * @param options credentials, what to leave alone
 * @throws ConfigurationError where there is nothing to send to, or an option cannot be
 *
 * @example
 * expect((await harden(app)).findings).toEqual([])
 */
export async function harden(app: App, options: HardenOptions = {}): Promise<HardenReport> {
  const { headers = {}, path = {}, skip = () => false, timeout = 10_000 } = options
  if (!(timeout > 0)) throw new ConfigurationError('harden', `timeout is ${timeout}`, 'Give milliseconds above 0')
  const targets = toTargets(app, path).filter(({ plan }) => !skip(plan))
  if (targets.length === 0) throw new ConfigurationError('harden', 'the application has no routes', 'Give it some')
  const exchange = createExchange(app.callback())
  const manners = await learn(exchange, timeout)
  const findings: Finding[] = []
  let requests = 0
  const watch = watchProcess()
  try {
    for (const target of targets) {
      for (const hostile of toHostile(target, targets)) {
        requests++
        const { status, problems } = await send(exchange, hostile, manners, { headers, timeout })
        for (const problem of [...problems, ...watch.take()]) {
          findings.push({ route: target.name, input: hostile.input, status, problem })
        }
      }
    }
  } finally {
    watch.end()
  }
  return { requests, findings }
}

function toHostile(target: Target, targets: readonly Target[]): Hostile[] {
  const same = targets.filter(({ plan }) => plan.path === target.plan.path).map(({ plan }) => plan.method)
  const isFirst = targets.find(({ plan }) => plan.path === target.plan.path) === target
  return [
    ...hostileTargets(target),
    ...hostileHeaders(target),
    ...hostileBodies(target),
    ...(isFirst ? hostileMethods(target, new Set(same)) : []),
  ]
}

async function learn(exchange: Exchange, timeout: number): Promise<Manners> {
  const request = { method: 'GET', target: '/kumu5f1c/nowhere/at/all', headers: { host: 'localhost' } }
  const answer = await exchange({ ...request, signal: AbortSignal.timeout(timeout) })
  await readSome(answer)
  return { errorType: essenceOf(answer.headers['content-type']) }
}

interface Sending {
  readonly headers: Readonly<Record<string, string>>
  readonly timeout: number
}

interface Judged {
  readonly status: number
  readonly problems: readonly string[]
}

async function send(exchange: Exchange, hostile: Hostile, manners: Manners, options: Sending): Promise<Judged> {
  const { method, target, payload, anonymous } = hostile
  const known = anonymous ? {} : options.headers
  const headers = { host: 'localhost', 'user-agent': 'kumu-harden', ...known, ...hostile.headers }
  const controller = new AbortController()
  const late = sleep(options.timeout, undefined, { signal: controller.signal, ref: false }).then(
    (): Judged => ({ status: 0, problems: [`no answer within ${options.timeout} ms`] }),
    (): Judged => ({ status: 0, problems: [] }),
  )
  const answered = exchange({ method, target, headers, payload, signal: controller.signal }).then(
    async (answer): Promise<Judged> => {
      const full: Answered = { status: answer.status, headers: answer.headers, text: await readSome(answer) }
      return { status: answer.status, problems: judge(hostile, full, manners) }
    },
    (error: unknown): Judged => ({ status: 0, problems: [`the connection was closed: ${String(error)}`] }),
  )
  try {
    return await Promise.race([answered, late])
  } finally {
    controller.abort()
  }
}

/** The beginning of an answer; of one that does not end by itself what is there. */
async function readSome(answer: RawAnswer): Promise<string> {
  if (answer.content) return answer.content.toString()
  const chunks: Buffer[] = []
  let length = 0
  const endless = essenceOf(answer.headers['content-type']) === 'text/event-stream'
  try {
    for await (const chunk of answer.stream) {
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (endless || length >= mostRead) break
    }
  } catch (error) {
    chunks.push(Buffer.from(`\n${String(error)}`))
  }
  answer.leave()
  return Buffer.concat(chunks).toString()
}
