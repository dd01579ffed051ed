import { Worker } from 'node:worker_threads'
import { StoreError } from './errors'
import type {
  SqliteCall,
  SqliteCalls,
  SqliteFailure,
  SqliteRequest,
  SqliteResponse,
  SqliteSettings,
} from './sqlite-protocol'
import { toOwnMeta } from './sqlite-rows'

interface Waiting {
  readonly resolve: (output: never) => void
  readonly reject: (error: Error) => void
}

/** The other end of the worker: calls of one turn go out as one message, and come back as one. */
export class SqliteClient {
  readonly #settings: SqliteSettings
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #queue: SqliteRequest[] = []
  #number = 0
  #closed = false

  constructor(settings: SqliteSettings) {
    this.#settings = settings
  }

  /** Asks the worker; it is started by the first call. */
  call<Call extends SqliteCall>(call: Call, input: SqliteCalls[Call]['input']): Promise<SqliteCalls[Call]['output']> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new StoreError('closed', 'The store is closed')
      const id = ++this.#number
      this.#waiting.set(id, { resolve, reject })
      // After all promises of this turn have had their say.
      if (this.#queue.push({ id, call, input }) === 1) process.nextTick(() => this.#flush())
    })
  }

  /** Ends the worker, once it has answered what it was asked before. */
  async close(): Promise<void> {
    this.#flush()
    this.#closed = true
    const worker = this.#worker
    if (!worker) return
    worker.ref()
    await new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
      worker.postMessage(null)
    })
  }

  #flush(): void {
    const requests = this.#queue
    this.#queue = []
    if (requests.length === 0) return
    try {
      this.#worker ??= this.#start()
      // While somebody waits for an answer, the process does not end.
      this.#worker.ref()
      this.#worker.postMessage(requests)
    } catch (error) {
      for (const { id } of requests) this.#settle(id, (waiting) => waiting.reject(error as Error))
    }
  }

  #start(): Worker {
    const worker = startWorker(this.#settings)
    worker.on('message', (responses: readonly SqliteResponse[] | null) => {
      for (const response of responses ?? []) this.#receive(response)
      if (this.#waiting.size === 0 && !this.#closed) worker.unref()
    })
    worker.on('error', (error) => this.#abandon(worker, error))
    worker.on('exit', () => this.#abandon(worker, new Error('The thread of the sqlite store has ended')))
    return worker
  }

  #receive(response: SqliteResponse): void {
    this.#settle(response.id, ({ resolve, reject }) => {
      if ('error' in response) reject(fromFailure(response.error))
      else resolve(response.output as never)
    })
  }

  #settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (waiting) how(waiting)
  }

  /** Nobody knows what became of the calls under way; the next call starts a new worker. */
  #abandon(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const queued = new Set(this.#queue.map(({ id }) => id))
    for (const id of [...this.#waiting.keys()]) {
      if (!queued.has(id)) this.#settle(id, ({ reject }) => reject(error))
    }
  }
}

const loaders = /^(?:-r|--require|--import|--loader|--experimental-loader)$/

/**
 * Starts the worker from the file beside this one. TypeScript sources need the loaders that this process was started with:
 * those alone are handed on, for other flags a worker may refuse, and the file is required, for a loader that is not asked
 * about the first file of a thread.
 */
function startWorker(workerData: SqliteSettings): Worker {
  const file = require.resolve('./sqlite-worker')
  if (!file.endsWith('.ts')) return new Worker(file, { workerData })
  const execArgv = process.execArgv.flatMap((flag, index, flags) => {
    // In a thread, tsx leaves out its own loader of CommonJS.
    if (loaders.test(flag))
      return [flag, (flags[index + 1] ?? '').replace('tsx/dist/preflight.cjs', 'tsx/dist/cjs/index.cjs')]
    return flag.includes('=') && loaders.test(flag.split('=', 1)[0]!) ? [flag] : []
  })
  return new Worker(`require(${JSON.stringify(file)})`, { eval: true, workerData, execArgv })
}

function fromFailure({ message, stack, code, store }: SqliteFailure): Error {
  if (store) return new StoreError(store.code, message, { current: store.current && toOwnMeta(store.current) })
  const error = Object.assign(new Error(message), code === undefined ? {} : { code })
  if (stack !== undefined) error.stack = stack
  return error
}
