import { createHash } from 'node:crypto'
import { HttpError, NotImplemented, ResourceExists, ValidationError, type Violation } from '../errors'
import { refusal } from '../http/refusal'
import { TextValue, type Context, type Principal } from '../route/plan'
import type { HeaderMap } from '../types'
import { json } from './body'
import { isRecord } from './collection-form'
import { reserved } from './collection-shelf'
import { addressOf } from './documents-address'
import { StoreError } from './errors'
import { isConflict } from './revision'
import type { Store } from './store'

/** Milliseconds for which an answer is kept. */
const kept = 24 * 60 * 60 * 1000

/** Milliseconds after which whoever holds a request is taken for dead. */
const lease = 10_000

const recordType = 'application/vnd.kumu.idempotency'

/** A request that may create, perhaps not for the first time. */
export interface Attempt {
  /** The keys that it creates documents under where the client names none: those of the first attempt. */
  readonly keys: readonly string[]
  /** Marks what it creates; none: the request cannot come again. */
  readonly owner?: string
}

/** What is known of an idempotent request. It is written before anything is created. */
interface Entry {
  readonly fingerprint: string
  readonly keys: readonly string[]
  /** Until when its holder is trusted to be at work, in milliseconds since the epoch. */
  readonly lease: number
  readonly outcome?: unknown
  readonly problem?: Problem
}

interface Problem {
  readonly status: number
  readonly detail?: string
  readonly code?: string
  readonly errors?: readonly Violation[]
  readonly headers?: HeaderMap
}

interface Held {
  readonly entry: Entry
  readonly rev: string
}

/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that comes again is answered as it was.
 *
 * The entry of a request is a lock (`if: null`) that also holds the keys of the documents to be. Whoever takes it over from
 * a holder that died writes under the same keys, with `if: null` as well, so that there is one document however often and
 * wherever the work was broken off.
 */
export class Idempotency {
  constructor(readonly store: Store) {}

  /**
   * Does the work once for each key.
   *
   * @param body what was sent: another one under the same key is refused
   * @param makeKeys chooses the keys of the documents, of the first attempt alone
   * @param work its result must be JSON; an HttpError below 500 is a result as well
   * @throws BadRequest, NotImplemented, ResourceExists (in flight), ValidationError (another body)
   */
  async run<T>(
    ctx: Context,
    body: unknown,
    makeKeys: () => readonly string[],
    work: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const name = ctx.req.headers['idempotency-key']
    if (name === undefined) return work({ keys: makeKeys() })
    if (typeof name !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(name)) {
      throw refusal('header', '/idempotency-key', 'pattern', 'Idempotency-Key is 1 to 255 visible ASCII characters')
    }
    if (!this.store.can.ttl) {
      throw new NotImplemented('Idempotency-Key needs a store in which documents can expire', { code: 'unsupported' })
    }
    const key = reserved + digest([ctx.method, addressOf(ctx, '', ''), principalOf(ctx), name])
    const held = await this.#acquire(key, digest(canonical(body)), makeKeys)
    if (!('rev' in held)) return replay<T>(held)
    return this.#perform(key, held, work)
  }

  async #perform<T>(key: string, held: Held, work: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { keys } = held.entry
    try {
      const outcome = await work({ keys, owner: key.slice(reserved.length) })
      await this.#settle(key, held, { outcome })
      return outcome
    } catch (error) {
      const problem = toProblem(error)
      // Of a failure of ours nobody knows how far it came: the next one goes on from there, at once.
      await this.#settle(key, held, problem ? { problem } : { lease: 0 })
      throw error
    }
  }

  /** The lock, or the entry of a request that has its answer. */
  async #acquire(key: string, fingerprint: string, makeKeys: () => readonly string[]): Promise<Held | Entry> {
    for (let tries = 0; tries < 20; tries++) {
      const now = Date.now()
      const fresh = tries === 0 ? undefined : await this.#read(key)
      if (fresh) {
        const { entry, rev } = fresh
        if (entry.fingerprint !== fingerprint) throw otherBody()
        if (entry.outcome !== undefined || entry.problem) return entry
        if (entry.lease > now) throw inFlight()
        const taken = await this.#write(key, { ...entry, lease: now + lease }, rev)
        if (taken) return taken
      } else {
        const taken = await this.#write(key, { fingerprint, keys: makeKeys(), lease: now + lease }, null)
        if (taken) return taken
      }
    }
    throw inFlight()
  }

  async #read(key: string): Promise<Held | undefined> {
    const doc = await this.store.get(key)
    return doc && { entry: await json<Entry>(doc), rev: doc.rev }
  }

  async #write(key: string, entry: Entry, condition: string | null): Promise<Held | undefined> {
    try {
      const options = { type: recordType, expires: Date.now() + kept, if: condition }
      return { entry, rev: (await this.store.put(key, JSON.stringify(entry), options)).rev }
    } catch (error) {
      if (isConflict(error)) return undefined
      throw error
    }
  }

  /** What was done is done: an answer that cannot be kept is found anew by whoever asks for it again. */
  async #settle(key: string, { entry, rev }: Held, news: Partial<Entry>): Promise<void> {
    await this.#write(key, { ...entry, ...news }, rev).catch(() => undefined)
  }
}

function replay<T>({ outcome, problem }: Entry): T {
  if (!problem) return outcome as T
  const { status, detail, ...options } = problem
  throw new HttpError(status, detail, options)
}

/** What of an error is an answer, as good the next time. */
function toProblem(error: unknown): Problem | undefined {
  if (error instanceof StoreError && error.status < 500)
    return { status: error.status, detail: error.message, code: error.code }
  if (!(error instanceof HttpError) || error.status >= 500 || isPassing(error)) return undefined
  const { status, detail, code, errors, headers } = error
  return { status, detail, code, errors, headers }
}

/** Whether the same request may well succeed the next time. */
function isPassing({ status, code }: HttpError): boolean {
  return status === 408 || status === 425 || status === 429 || code === 'contention'
}

function principalOf(ctx: Context): string {
  const user = (ctx.state as { readonly user?: Partial<Principal> }).user
  return user?.id === undefined ? '' : String(user.id)
}

/** One text for one value, in whatever order its members came. */
function canonical(value: unknown): string {
  if (value instanceof TextValue) return `text ${canonical(value.value)}`
  return JSON.stringify(value, (_name, member: unknown) =>
    isRecord(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  )
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url')
}

function otherBody(): ValidationError {
  return new ValidationError('This Idempotency-Key was used with another body', { code: 'idempotency-key' })
}

function inFlight(): ResourceExists {
  return new ResourceExists('The first request with this Idempotency-Key is still at work', {
    code: 'idempotency-key',
    headers: { 'Retry-After': '1' },
  })
}
