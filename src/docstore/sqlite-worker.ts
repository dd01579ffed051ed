import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { StoreError } from './errors'
import { SqliteEngine } from './sqlite-engine'
import type { SqliteFailure, SqliteRequest, SqliteResponse, SqliteSettings } from './sqlite-protocol'

/**
 * The thread of one SQLite file. Each message is a list of requests, `null` the end; all that have come in by the time one
 * is looked at are done together.
 */
const port = parentPort!
let engine: SqliteEngine | undefined

port.on('message', (first: readonly SqliteRequest[] | null) => {
  const requests: SqliteRequest[] = []
  let isLast = false
  for (let message = first as typeof first | undefined; message !== undefined; message = nextMessage()) {
    if (message) requests.push(...message)
    else isLast = true
  }
  if (requests.length > 0) port.postMessage(answer(requests))
  if (isLast) close()
})

function nextMessage(): readonly SqliteRequest[] | null | undefined {
  return receiveMessageOnPort(port)?.message as readonly SqliteRequest[] | null | undefined
}

function answer(requests: readonly SqliteRequest[]): readonly SqliteResponse[] {
  try {
    engine ??= new SqliteEngine(workerData as SqliteSettings)
  } catch (error) {
    // Not kept: the next request tries again.
    return requests.map(({ id }) => ({ id, error: toFailure(error) }))
  }
  return engine.run(requests).map((outcome, index) => {
    const { id } = requests[index]!
    return 'output' in outcome ? { id, output: outcome.output } : { id, error: toFailure(outcome.error) }
  })
}

function close(): void {
  engine?.close()
  port.postMessage(null)
  port.close()
}

function toFailure(error: unknown): SqliteFailure {
  const { message = String(error), stack, code } = error as { message?: string; stack?: string; code?: string }
  if (!(error instanceof StoreError)) return { message, stack, code }
  return { message, stack, store: { code: error.code, current: error.current } }
}
