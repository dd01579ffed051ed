import { createServer, type RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AppName } from '../workloads/workload'

/** What a server process tells the harness. */
export type FromServer =
  | { readonly kind: 'listening'; readonly port: number }
  | {
      readonly kind: 'usage'
      /** User and system time so far, in microseconds. */
      readonly cpu: number
      /** Bytes. */
      readonly rss: number
      /** Bytes in use, after a collection where the process may ask for one. */
      readonly heap: number
    }

/** What the harness asks of a server process; `settled` collects garbage before it looks. */
export type ToServer = 'usage' | 'settled'

/** What an application comes to: a listener, a server of its own that does not listen yet, or one that does. */
export type Application = RequestListener | Server | { readonly port: number }

type MakeApplication = (routes: number) => Application | Promise<Application>

/** The applications of one contender, each made when its process is started for it. */
export type Contender = Readonly<Record<AppName, MakeApplication>>

/**
 * Starts the application that the command line names: `node raw.js w4 1000`.
 *
 * @param contender its applications
 */
export function serve(contender: Contender): void {
  if (collect) return collect(contender)
  const [app, routes] = process.argv.slice(2)
  // An application that cannot be made ends the process with its reason: the harness reads it.
  void start(contender[app as AppName], Number(routes ?? 0))
  process.on('message', (question: ToServer) => tellUsage(question))
  process.on('disconnect', () => process.exit(0))
}

let collect: ((contender: Contender) => void) | undefined

/**
 * The applications of a contender, without a process and without listening.
 *
 * @param load loads its script
 */
export function contenderOf(load: () => unknown): Contender {
  let contender: Contender | undefined
  collect = (given) => (contender = given)
  load()
  collect = undefined
  if (!contender) throw new Error('The script serves nothing')
  return contender
}

async function start(make: MakeApplication, routes: number): Promise<void> {
  // Not awaited where it need not be: a listener that is ready at once has no reason to wait for a turn.
  const made = make(routes)
  const application = made instanceof Promise ? await made : made
  if ('port' in application) return tell({ kind: 'listening', port: application.port })
  const server = application instanceof Server ? application : createServer(application)
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }))
}

function tellUsage(question: ToServer): void {
  // Twice, because what the first collection finalizes the second one frees.
  if (question === 'settled') for (let turn = 0; turn < 2; turn++) globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  tell({ kind: 'usage', cpu: user + system, rss, heap: heapUsed })
}

function tell(message: FromServer): void {
  process.send?.(message)
}
