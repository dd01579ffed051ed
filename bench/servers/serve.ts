import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AppName } from '../workloads/workload'

/** What a server process tells the harness. */
export type FromServer =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'usage'; readonly cpu: number; readonly rss: number }

/** The applications of one contender, each made when its process is started for it. */
export type Contender = Readonly<Record<AppName, (routes: number) => RequestListener>>

/**
 * Starts the application that the command line names: `node raw.js w4 1000`.
 *
 * @param contender its applications
 */
export function serve(contender: Contender): void {
  const [app, routes] = process.argv.slice(2)
  const server = createServer(contender[app as AppName](Number(routes ?? 0)))
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }))
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    tell({ kind: 'usage', cpu: user + system, rss: process.memoryUsage.rss() })
  })
  process.on('disconnect', () => process.exit(0))
}

function tell(message: FromServer): void {
  process.send?.(message)
}
