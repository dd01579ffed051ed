import type { Redis, RedisOptions as ClientOptions } from 'ioredis'
import { ConnectionLost, Link } from './link'
import type { RedisScript } from './redis-scripts'
import { isCode } from './system-error'

/** Where a Redis server is. */
export interface RedisAddress {
  /** `redis://` or `rediss://`, with user, password and database where there are any. Default `redis://127.0.0.1:6379`. */
  readonly url?: string
  /** Options of ioredis besides: `tls`, `sentinels`, `connectTimeout` and so on. */
  readonly client?: ClientOptions
}

/** What a command takes. */
export type RedisValue = string | number | Buffer

/** What a command gives: texts come as bytes. */
export type RedisReply = Buffer | number | null | readonly RedisReply[]

/** One connection to a Redis server, made when it is needed and again when it was lost. */
export class RedisConnection {
  readonly #link: Link<Client>

  /** @param prepare looks at a fresh connection before anybody else does */
  constructor(address: RedisAddress, prepare?: (send: RedisConnection['send']) => Promise<void>) {
    this.#link = new Link(
      async (onLost) => {
        const client = new Client(await connect(address, onLost))
        try {
          await prepare?.((...command) => client.call(command))
        } catch (error) {
          client.disconnect()
          throw error
        }
        return client
      },
      (client) => client.disconnect(),
    )
  }

  /** @throws ConnectionLost where the answer did not come: whether the command was carried out is not known then */
  readonly send = async (...command: readonly [string, ...RedisValue[]]): Promise<RedisReply> =>
    (await this.#link.get()).call(command)

  async run(script: RedisScript, keys: readonly string[], args: readonly RedisValue[]): Promise<RedisReply> {
    const rest = [keys.length, ...keys, ...args]
    try {
      return await this.send('EVALSHA', script.sha, ...rest)
    } catch (error) {
      // The server has not seen the script yet, or has forgotten it: nothing was done.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return this.send('EVAL', script.text, ...rest)
    }
  }

  drop(): Promise<void> {
    return this.#link.drop()
  }

  close(): Promise<void> {
    return this.#link.close()
  }
}

/** Milliseconds without an answer after which a connection counts as lost: a cable that was pulled says nothing. */
const silence = 10_000

class Client {
  readonly #redis: Redis
  readonly #timer: NodeJS.Timeout
  #inFlight = 0
  #heardAt = 0

  constructor(redis: Redis) {
    this.#redis = redis
    this.#timer = setInterval(() => this.#listen(), silence / 4).unref()
  }

  async call([command, ...args]: readonly [string, ...RedisValue[]]): Promise<RedisReply> {
    if (this.#inFlight++ === 0) this.#heardAt = performance.now()
    try {
      return (await this.#redis.callBuffer(command, ...args)) as RedisReply
    } catch (cause) {
      if (isReply(cause)) throw cause
      throw new ConnectionLost('The connection to Redis was lost: whether it was done is not known', { cause })
    } finally {
      this.#inFlight--
      this.#heardAt = performance.now()
    }
  }

  disconnect(): void {
    clearInterval(this.#timer)
    this.#redis.disconnect()
  }

  #listen(): void {
    if (this.#redis.status === 'end') clearInterval(this.#timer)
    if (this.#inFlight > 0 && performance.now() - this.#heardAt > silence) this.disconnect()
  }
}

async function connect({ url, client: options }: RedisAddress, onLost: () => void): Promise<Redis> {
  const Library = load()
  const settings: ClientOptions = {
    connectTimeout: 5000,
    ...options,
    lazyConnect: true,
    // Nothing waits for a later connection, and nothing is sent twice: whoever calls next connects anew.
    retryStrategy: () => null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // Nothing is under way when it is let go, and it would wait even for a connection that has ended.
    disconnectTimeout: 0,
    // These change what is sent.
    keyPrefix: '',
    enableAutoPipelining: false,
  }
  // What the URL says goes before the options: without one nothing stands for it.
  const client = url === undefined ? new Library(settings) : new Library(url, settings)
  let reason: unknown
  // Without a listener an idle connection that breaks would end the process; the calls in flight fail by themselves.
  client.on('error', (error) => (reason = error))
  client.on('end', onLost)
  try {
    await client.connect()
  } catch (error) {
    client.disconnect()
    const cause = reason ?? error
    if (isReply(cause)) throw cause
    throw new ConnectionLost('There is no connection to Redis', { cause })
  }
  return client
}

/** An error that the server gave as its answer. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

function load(): typeof Redis {
  try {
    // A call of `require`, not an import: the package is optional, and here is where it is missed.
    return (require('ioredis') as typeof import('ioredis')).Redis
  } catch (cause) {
    if (!isCode(cause, 'MODULE_NOT_FOUND')) throw cause
    throw new Error('The redis driver needs the package ioredis: npm install ioredis', { cause })
  }
}
