import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { FromServer } from '../servers/serve'
import type { AppName } from '../workloads/workload'
import { pinned } from './pinning'

const serversFolder = join(__dirname, '..', 'servers')

export interface Usage {
  /** User and system time of the process so far, in microseconds. */
  readonly cpu: number
  /** Bytes. */
  readonly rss: number
}

/** A contender's server in a process of its own, on the server's core. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly origin: string,
  ) {}

  /**
   * Starts one and waits until it listens.
   *
   * @param contender the name of its file
   * @param app the application it shall run
   * @param routes parameter routes of that application
   * @throws Error where the process ends before it listens
   */
  static async start(contender: string, app: AppName, routes = 0): Promise<ServerProcess> {
    const script = join(serversFolder, `${contender}.js`)
    const [program, parameters] = pinned('server', process.execPath, [script, app, String(routes)])
    const child = spawn(program, parameters, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    const message = await nextMessage(child, `${contender} ${app}`)
    if (message.kind !== 'listening') throw new Error(`${contender} ${app} did not listen`)
    return new ServerProcess(child, `http://127.0.0.1:${message.port}`)
  }

  async usage(): Promise<Usage> {
    const answer = nextMessage(this.child, this.origin)
    this.child.send('usage')
    const message = await answer
    if (message.kind !== 'usage') throw new Error(`${this.origin} told no usage`)
    return message
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await gone
  }
}

function nextMessage(child: ChildProcess, what: string): Promise<FromServer> {
  return new Promise((resolve, reject) => {
    function settle(): void {
      child.off('message', onMessage)
      child.off('exit', onExit)
      child.off('error', onExit)
    }
    function onMessage(message: unknown): void {
      settle()
      resolve(message as FromServer)
    }
    function onExit(reason: unknown): void {
      settle()
      reject(new Error(`${what} ended before it answered (${String(reason)})`))
    }
    child.on('message', onMessage)
    child.on('exit', onExit)
    child.on('error', onExit)
  })
}
