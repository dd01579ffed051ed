import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { createDirectory } from './directories'
import type { TestServer } from './servers'

/** Who runs the server: it refuses root. */
interface Account {
  readonly uid: number
  readonly gid: number
}

/**
 * Tests with a PostgreSQL of their own, to be killed and started again: skipped, with one line that says so, where its
 * programs are missing, or where this process is root and there is no user `postgres` to become.
 *
 * @param define the tests; it is given what makes a server
 */
export function describeWithPostgresServer(define: (create: () => Promise<TestServer>) => void): void {
  describe('with a PostgreSQL of its own', () => {
    const programs = programsOf()
    const account = process.getuid?.() === 0 ? accountOf('postgres') : undefined
    const missing = !programs ? 'initdb and postgres are not installed' : undefined
    const why = missing ?? (process.getuid?.() === 0 && !account ? 'root cannot run it' : undefined)
    if (why !== undefined || !programs) {
      // eslint-disable-next-line no-restricted-syntax -- said once, where it cannot be run
      it.skip(`${why}`, () => undefined)
      return
    }
    const running = new Set<ChildProcess>()
    afterAll(() => {
      for (const child of running) child.kill('SIGKILL')
    })
    define(async () => {
      const dir = createDirectory()
      if (account) chownSync(dir, account.uid, account.gid)
      chmodSync(dir, 0o700)
      const data = join(dir, 'data')
      const options = { ...account, cwd: dir, stdio: 'ignore' } as const
      const initial = ['-D', data, '-U', 'kumu', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync']
      const { status } = spawnSync(join(programs, 'initdb'), initial, options)
      if (status !== 0) throw new Error(`initdb ended with ${String(status)}`)
      const port = await freePort()
      const url = `postgres://kumu@127.0.0.1:${port}/postgres`
      const settings = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-k', dir, '-c', 'max_connections=30']
      let child: ChildProcess | undefined
      return {
        url,
        async start() {
          for (let attempt = 0; attempt < 300; attempt++) {
            // After a kill the first ones end at once: processes of the dead server still hold its memory.
            if (!child || child.exitCode !== null || child.signalCode !== null) {
              if (child) running.delete(child)
              child = spawn(join(programs, 'postgres'), ['-D', data, ...settings], options)
              running.add(child)
            }
            if (await answers(url)) return
            await delay(100)
          }
          throw new Error('PostgreSQL does not start')
        },
        async kill() {
          const ending = once(child!, 'exit')
          child!.kill('SIGKILL')
          await ending
        },
      }
    })
  })
}

/** The folder of the newest installed version: on Debian it is in no path. */
function programsOf(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(':')]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

function accountOf(name: string): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' })
    return status === 0 ? Number(stdout) : undefined
  })
  return uid === undefined || gid === undefined ? undefined : { uid, gid }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
