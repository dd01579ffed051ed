import type { JetStreamClient, JetStreamManager, StreamInfo } from '@nats-io/jetstream'
import type { MsgHdrs, NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'
import { ConnectionLost, Link } from './link'
import { type NatsMessage, readMessage } from './nats-message'
import { isCode } from './system-error'

/** Where NATS servers are, and the bucket on them. */
export interface NatsAddress {
  /** A server, or several of one cluster. Default `nats://127.0.0.1:4222`. */
  readonly servers?: string | readonly string[]
  /** Options of @nats-io/transport-node besides: `user`, `pass`, `token`, `authenticator`, `tls` and so on. */
  readonly client?: NodeConnectionOptions
  /** The bucket; made where it is missing. Default `kumu`. */
  readonly bucket?: string
  /** Servers that keep a new bucket. Default 1. */
  readonly replicas?: number
  /** Where a new bucket is kept. Default `file`. */
  readonly storage?: 'file' | 'memory'
  /** Writes of one key that a new bucket keeps for watchers who resume, 1 to 64; their bodies are kept too. Default 16. */
  readonly history?: number
}

/** A bucket as one connection sees it. */
export interface Bucket {
  /** When the stream was made: tells its numbers from those of another one of the same name. */
  readonly epoch: string
  readonly isFile: boolean
  /** Bytes of the largest message, headers included. */
  readonly maxPayload: number
  /** The first and the last number of the stream. */
  state(): Promise<{ readonly first: number; readonly last: number; readonly messages: number }>
  /** The last message of a key. */
  last(key: string): Promise<{ readonly message: NatsMessage; readonly body: Uint8Array } | undefined>
  /** Appends, where the last message of the key has this number (0: there is none). Its number; nothing where it has not. */
  append(
    key: string,
    body: Uint8Array,
    headers: ReadonlyArray<readonly [string, string]>,
    expected?: number,
  ): Promise<number | undefined>
  /** The messages from a number on, or first the last of each key and then what comes; without bodies. */
  messages(from: number | 'last', signal: AbortSignal): AsyncIterable<NatsMessage & { readonly pending: number }>
  /** Forgets the messages of a key up to a number. */
  forget(key: string, upTo: number): Promise<void>
}

interface Libraries {
  readonly transport: typeof import('@nats-io/transport-node')
  readonly jetstream: typeof import('@nats-io/jetstream')
  readonly kv: typeof import('@nats-io/kv')
}

interface Connected {
  readonly connection: NatsConnection
  readonly bucket: Bucket
}

/** One connection to NATS, made when it is needed and again when it was lost. */
export class NatsLink {
  readonly #link: Link<Connected>

  /** @param prepare looks at a fresh connection before anybody else does */
  constructor(address: NatsAddress, prepare: (bucket: Bucket) => void) {
    this.#link = new Link(
      async (onLost) => {
        const connected = await connect(address, onLost)
        prepare(connected.bucket)
        return connected
      },
      ({ connection }) => connection.close(),
    )
  }

  /** @throws ConnectionLost where the answer did not come: whether it was done is not known then */
  async use<T>(work: (bucket: Bucket) => Promise<T>): Promise<T> {
    const { bucket } = await this.#link.get()
    try {
      return await work(bucket)
    } catch (error) {
      const lost = toLost(error)
      // Where no stream answers the bucket may be gone: look again.
      if (lost && isNamed(error, 'JetStreamNotEnabled', 'NoResponders', 'StreamNotFoundError')) await this.#link.drop()
      throw lost ?? error
    }
  }

  /** For work that goes on for as long as the connection does. */
  async bucket(): Promise<Bucket> {
    return (await this.#link.get()).bucket
  }

  close(): Promise<void> {
    return this.#link.close()
  }
}

/** What an error of the connection says to callers; nothing where it is another error. */
export function toLost(error: unknown): ConnectionLost | undefined {
  const names = [
    ...['TimeoutError', 'RequestError', 'ClosedConnectionError', 'DrainingConnectionError', 'ConnectionError'],
    ...['NoResponders', 'JetStreamNotEnabled', 'StreamNotFoundError', 'ConsumerNotFoundError'],
  ]
  if (!isNamed(error, ...names)) return undefined
  return new ConnectionLost('The connection to NATS was lost: whether it was done is not known', { cause: error })
}

function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name)
}

async function connect(address: NatsAddress, onLost: () => void): Promise<Connected> {
  const { transport } = load()
  const { servers } = address
  let connection: NatsConnection
  try {
    connection = await transport.connect({
      timeout: 5000,
      pingInterval: 10_000,
      // Else each question takes down, for an error that may come, where it was asked: a third of its cost.
      noAsyncTraces: true,
      ...address.client,
      ...(servers === undefined ? {} : { servers: typeof servers === 'string' ? servers : [...servers] }),
      // A client that reconnects sends later what its callers have given up: whoever calls next connects anew.
      reconnect: false,
    })
  } catch (cause) {
    if (isNamed(cause, 'AuthorizationError', 'InvalidArgumentError')) throw cause
    throw new ConnectionLost('There is no connection to NATS', { cause })
  }
  void connection.closed().then(onLost)
  try {
    return { connection, bucket: await openBucket(connection, address) }
  } catch (error) {
    await connection.close()
    throw toLost(error) ?? error
  }
}

async function openBucket(
  connection: NatsConnection,
  { bucket: name = 'kumu', replicas = 1, storage = 'file', history = 16 }: NatsAddress,
): Promise<Bucket> {
  const { jetstream, kv } = load()
  const client = jetstream.jetstream(connection)
  const manager = await jetstream.jetstreamManager(connection)
  const stream = `KV_${name}`
  let info: StreamInfo
  try {
    info = await manager.streams.info(stream)
  } catch (error) {
    if (!isNamed(error, 'StreamNotFoundError')) throw error
    await new kv.Kvm(client).create(name, {
      history,
      replicas,
      storage: storage === 'file' ? jetstream.StorageType.File : jetstream.StorageType.Memory,
      // Copies answer at once, and late: they may not know yet what was acknowledged.
      allow_direct: replicas === 1,
    })
    info = await manager.streams.info(stream)
  }
  const bucket = new StreamBucket(connection, client, manager, name, info)
  await bucket.probe()
  return bucket
}

class StreamBucket implements Bucket {
  readonly epoch: string
  readonly isFile: boolean
  readonly maxPayload: number
  readonly #client: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #stream: string
  /** What the subjects of keys begin with. */
  readonly #subject: string
  readonly #isDirect: boolean

  constructor(
    connection: NatsConnection,
    client: JetStreamClient,
    manager: JetStreamManager,
    name: string,
    { config, created }: StreamInfo,
  ) {
    this.#client = client
    this.#manager = manager
    this.#stream = `KV_${name}`
    this.#subject = `$KV.${name}.`
    this.#isDirect = config.allow_direct && config.num_replicas === 1
    this.epoch = Date.parse(String(created)).toString(36)
    this.isFile = String(config.storage) === 'file'
    const { max_msg_size: bound } = config
    const payload = connection.info?.max_payload ?? 1024 * 1024
    this.maxPayload = bound > 0 ? Math.min(bound, payload) : payload
  }

  /** There are servers that take a condition and ignore it: one that cannot hold must be refused. @throws Error where it is not */
  async probe(): Promise<void> {
    const refused = await this.append('kumu.probe', new Uint8Array(0), [], Number.MAX_SAFE_INTEGER)
    if (refused === undefined) return
    await this.forget('kumu.probe', refused)
    throw new Error('This NATS server ignores the conditions of writes: it cannot keep a docstore')
  }

  async state(): Promise<{ first: number; last: number; messages: number }> {
    const { state } = await this.#manager.streams.info(this.#stream)
    return { first: state.first_seq, last: state.last_seq, messages: state.messages }
  }

  async last(key: string): Promise<{ message: NatsMessage; body: Uint8Array } | undefined> {
    const query = { last_by_subj: this.#subject + key }
    const found = this.#isDirect
      ? await this.#manager.direct.getMessage(this.#stream, query)
      : await this.#manager.streams.getMessage(this.#stream, query)
    if (!found) return undefined
    const { seq, data, time } = found
    const message = readMessage({ seq, key, time: time.getTime() }, readHeader(found.header), data.byteLength)
    return { message, body: data }
  }

  async append(
    key: string,
    body: Uint8Array,
    headers: ReadonlyArray<readonly [string, string]>,
    expected?: number,
  ): Promise<number | undefined> {
    const all = load().transport.headers()
    for (const [name, value] of headers) all.set(name, value)
    try {
      const expect = expected === undefined ? {} : { expect: { lastSubjectSequence: expected } }
      return (await this.#client.publish(this.#subject + key, body, { headers: all, ...expect })).seq
    } catch (error) {
      // "wrong last sequence", as old and as new servers number it.
      const { code } = error as { readonly code?: unknown }
      if (code === 10071 || code === 10164) return undefined
      throw error
    }
  }

  async *messages(
    from: number | 'last',
    signal: AbortSignal,
  ): AsyncGenerator<NatsMessage & { readonly pending: number }> {
    const { DeliverPolicy } = load().jetstream
    const start =
      from === 'last'
        ? { deliver_policy: DeliverPolicy.LastPerSubject }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }
    const consumer = await this.#client.consumers.get(this.#stream, { ...start, headers_only: true })
    const messages = await consumer.consume({ max_messages: 256 })
    const stop = (): void => messages.stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      if (signal.aborted) return
      for await (const message of messages) {
        const header = readHeader(message.headers)
        const key = message.subject.slice(this.#subject.length)
        const time = message.time.getTime()
        const read = readMessage({ seq: message.seq, key, time }, header, Number(header('Nats-Msg-Size') ?? 0))
        yield { ...read, pending: message.info.pending }
      }
    } finally {
      signal.removeEventListener('abort', stop)
      messages.stop()
      // A server that is not told forgets it after a while.
      consumer.delete().catch(() => undefined)
    }
  }

  async forget(key: string, upTo: number): Promise<void> {
    await this.#manager.streams.purge(this.#stream, { filter: this.#subject + key, seq: upTo + 1 })
  }
}

function readHeader(headers: MsgHdrs | undefined): (name: string) => string | undefined {
  return (name) => headers?.get(name) || undefined
}

/** Asking for a module again costs more than a small write. */
let libraries: Libraries | undefined

function load(): Libraries {
  try {
    // Calls of `require`, not imports: the packages are optional, and here is where they are missed.
    return (libraries ??= {
      transport: require('@nats-io/transport-node') as Libraries['transport'],
      jetstream: require('@nats-io/jetstream') as Libraries['jetstream'],
      kv: require('@nats-io/kv') as Libraries['kv'],
    })
  } catch (cause) {
    if (!isCode(cause, 'MODULE_NOT_FOUND')) throw cause
    const packages = '@nats-io/transport-node @nats-io/jetstream @nats-io/kv'
    throw new Error(`The nats driver needs three packages: npm install ${packages}`, { cause })
  }
}
