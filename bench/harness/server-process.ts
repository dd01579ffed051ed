import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { scriptOf } from '../contenders'
import type { FromServer, ToServer } from '../servers/serve'
import type { AppName } from '../workloads/workload'
import { nodeBinary } from './node-binary'
import { pinned } from './pinning'

export type Usage = Extract<FromServer, { kind: 'usage' }>

/** What a server is started for. */
export interface ServerStart {
  readonly contender: string
  readonly app: AppName
  /** Parameter routes of that application. Default 0. */
  readonly routes?: number
  /** Whether it may collect garbage when it is asked to. Default false. */
  readonly settles?: boolean
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
   * @throws Error where the process ends before it listens, with what it said
   */
  static async start({ contender, app, routes = 0, settles = false }: ServerStart): Promise<ServerProcess> {
    const script = scriptOf(contender)
    if (!existsSync(script)) throw new Error(`${contender} is not installed`)
    const flags = settles ? ['--expose-gc'] : []
    const [program, parameters] = pinned('server', nodeBinary(), [...flags, script, app, String(routes)])
    const child = spawn(program, parameters, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    let said = ''
    const keep = (text: string): void => void (said += text)
    child.stderr?.setEncoding('utf8').on('data', keep)
    const first = await nextMessage(child, `${contender} ${app}`).catch((error: Error) => {
      throw new Error(reasonOf(said) ?? error.message, { cause: error })
    })
    if (first.kind !== 'listening') throw new Error(`${contender} ${app} did not listen`)
    child.stderr?.off('data', keep).on('data', (text: string) => void process.stderr.write(text))
    return new ServerProcess(child, `http://127.0.0.1:${first.port}`)
  }

  /**
   * What it has used so far.
   *
   * @param question `settled` where garbage shall be collected first
   */
  async usage(question: ToServer = 'usage'): Promise<Usage> {
    const answer = nextMessage(this.child, this.origin)
    this.child.send(question)
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

/** The line of a stack trace that names the error. */
export function reasonOf(said: string): string | undefined {
  return /^(?:\w*Error\b.*|.*\bError: .*)$/m.exec(said)?.[0].trim()
}

function nextMessage(child: ChildProcess, what: string): Promise<FromServer> {
  return new Promise((resolve, reject) => {
    function settle(): void {
      child.off('message', onMessage)
      child.off('close', onEnd)
      child.off('error', onEnd)
    }
    function onMessage(message: unknown): void {
      settle()
      resolve(message as FromServer)
    }
    function onEnd(reason: unknown): void {
      settle()
      reject(new Error(`${what} ended before it answered (${String(reason)})`))
    }
    child.on('message', onMessage)
    child.on('close', onEnd)
    child.on('error', onEnd)
  })
}
