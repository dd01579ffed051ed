import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A server of this test alone, to be killed and started again over the same data. */
export interface TestServer {
  readonly url: string
  /** Starts it and waits until it listens. */
  start(): Promise<void>
  /** Ends its process with kill -9. */
  kill(): Promise<void>
}

/**
 * Tests that start servers of their own: skipped, with one line that says so, where the program is not installed.
 *
 * @param define the tests; it is given what makes a server
 */
export function describeWithProgram(
  program: string,
  define: (create: (toArguments: (port: number) => readonly string[], scheme: string) => Promise<TestServer>) => void,
): void {
  describe(`with ${program}`, () => {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error) {
      // eslint-disable-next-line no-restricted-syntax -- said once, where it cannot be run
      it.skip(`${program} is not installed`, () => undefined)
      return
    }
    const running = new Set<ChildProcess>()
    afterAll(() => {
      for (const child of running) child.kill('SIGKILL')
    })
    define(async (toArguments, scheme) => {
      const port = await freePort()
      let child: ChildProcess | undefined
      return {
        url: `${scheme}://127.0.0.1:${port}`,
        async start() {
          child = spawn(program, toArguments(port), { stdio: 'ignore' })
          running.add(child)
          await listening(port)
        },
        async kill() {
          const ending = once(child!, 'exit')
          child!.kill('SIGKILL')
          await ending
          running.delete(child!)
        },
      }
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await delay(50)
  }
  throw new Error(`Nobody listens on port ${port}`)
}
