import { ContentTooLarge, HttpError, NotImplemented, ResourceExists, ValidationError, type Violation } from '../errors'
import { TextValue } from '../route/plan'
import { assertKey } from './check'
import type { Form, Value } from './collection-form'
import type { Attempt } from './collection-idempotency'
import { documentType, reserved, untilWritten, type Found, type Shelf } from './collection-shelf'
import type { Meta, Op } from './driver'
import { StoreError } from './errors'
import { isConflict } from './revision'
import type { Awaitable } from '../types'

/** Holds a value to the rules of the model, as a body is: the instance, or a ValidationError. */
export type Validate = (value: unknown) => Awaitable<object>

/** A document that is made and not yet stored. */
interface Draft {
  readonly key: string
  readonly body: string
}

/** Documents of one batch at the most: what a store takes. */
const mostDocuments = 1000

/** Violations that are told at the most. */
const mostViolations = 100

/** Creates documents: one, or a list of them all or none. */
export class Creator {
  constructor(
    readonly shelf: Shelf,
    readonly form: Form,
    readonly options: { readonly clientKeys: boolean; readonly batch: boolean },
  ) {}

  /**
   * The elements of a body that is a list, where lists are taken.
   *
   * @throws NotImplemented, ContentTooLarge, ValidationError
   */
  listOf(sent: unknown): readonly unknown[] | undefined {
    const text = sent instanceof TextValue
    const value = text ? sent.value : sent
    if (!this.options.batch || !Array.isArray(value)) return undefined
    if (!this.shelf.store.can.batch) {
      throw new NotImplemented('The store cannot write several documents at once', { code: 'unsupported' })
    }
    if (value.length > mostDocuments) {
      throw new ContentTooLarge(`A list takes ${mostDocuments} documents at the most`, { code: 'too-large' })
    }
    if (value.length === 0) {
      const detail = 'The list holds no document'
      throw new ValidationError(detail, {
        code: 'validation',
        errors: [{ in: 'body', pointer: '', code: 'min', detail }],
      })
    }
    return text ? value.map((element: unknown) => new TextValue(element)) : (value as unknown[])
  }

  /** @throws ValidationError; ResourceExists where the client's key is taken */
  async one(sent: unknown, { keys, owner }: Attempt, validate: Validate): Promise<Found> {
    const draft = await this.#draft(sent, keys[0]!, validate)
    return untilWritten(async () => {
      try {
        const meta = await this.shelf.put(draft.key, draft.body, null, { type: typeFor(owner) })
        return { meta, value: this.form.decode(draft.body) }
      } catch (error) {
        if (!isConflict(error)) throw error
        const there = await this.#there(draft.key, { keys, owner })
        if (there) return there
        if (this.shelf.live(error.current)) throw this.#exists('')
        if (!error.current) throw error
        const meta = await this.shelf.put(draft.key, draft.body, error.current.rev, { type: typeFor(owner) })
        return { meta, value: this.form.decode(draft.body) }
      }
    })
  }

  /** All or none, in one step of the store. @throws as `one`, with a pointer for each violation of each element */
  async all(elements: readonly unknown[], attempt: Attempt, validate: Validate): Promise<readonly Found[]> {
    const drafts = await this.#drafts(elements, attempt.keys, validate)
    const type = typeFor(attempt.owner)
    let before: ReadonlyArray<Meta | undefined> = []
    return untilWritten(async () => {
      try {
        const ops = drafts.map(({ key, body }, at): Op => ({ op: 'put', key, body, type, if: before[at]?.rev ?? null }))
        const metas = await this.shelf.store.batch(ops)
        return drafts.map(({ body }, at) => ({ meta: metas[at]!, value: this.form.decode(body) }))
      } catch (error) {
        if (!isConflict(error)) throw error
        before = await Promise.all(drafts.map(({ key }) => this.shelf.look(key)))
        const taken = before.findIndex((meta) => this.shelf.live(meta))
        // Tombstones alone are written over by the next try.
        if (taken < 0) throw error
        const there = await Promise.all(drafts.map(({ key }) => this.#there(key, attempt)))
        if (there.every((found) => found !== undefined)) return there
        throw this.#exists(`/${taken}`)
      }
    })
  }

  /** What an earlier attempt of the same request has created. */
  async #there(key: string, { keys, owner }: Attempt): Promise<Found | undefined> {
    if (owner === undefined) return undefined
    const found = await this.shelf.peek(key)
    if (!found || !('value' in found)) return undefined
    // Nobody else can know a key that the server chose; a key of the client's may be there for another reason.
    return keys.includes(key) || found.meta.type === typeFor(owner) ? found : undefined
  }

  async #drafts(elements: readonly unknown[], keys: readonly string[], validate: Validate): Promise<readonly Draft[]> {
    const drafts: Draft[] = []
    const wrong: Violation[] = []
    const seen = new Set<string>()
    let status = 422
    for (const [at, element] of elements.entries()) {
      try {
        const draft = await this.#draft(element, keys[at]!, validate)
        if (seen.has(draft.key)) throw this.#wrong('unique', 'is given twice')
        seen.add(draft.key)
        drafts.push(draft)
      } catch (error) {
        if (!(error instanceof HttpError) || !error.errors) throw error
        status = error.status
        wrong.push(...error.errors.map((violation) => ({ ...violation, pointer: `/${at}${violation.pointer}` })))
        if (wrong.length >= mostViolations) break
      }
    }
    if (wrong.length === 0) return drafts
    throw refusedBody(status, wrong)
  }

  /** Both the key and the rest are looked at, so that all that is wrong is told at once. */
  async #draft(sent: unknown, fresh: string, validate: Validate): Promise<Draft> {
    const { form } = this
    const { given, rest } = form.lift(sent)
    const wrong = given === undefined ? undefined : this.#wrongKey(given)
    // A class that wants the client's key by its own rules is to miss it.
    const missing = given === undefined && this.options.clientKeys
    const key = missing ? undefined : wrong || given === undefined ? fresh : (given as string)
    try {
      const instance = await validate(key === undefined ? rest : form.withKey(rest, key))
      if (wrong) throw wrong
      const own = key ?? this.#ownKey(instance) ?? fresh
      return { key: own, body: form.encode(own, instance) }
    } catch (error) {
      if (!wrong || error === wrong || !(error instanceof HttpError) || !error.errors) throw error
      throw refusedBody(error.status, [...(wrong.errors ?? []), ...error.errors])
    }
  }

  /** The key that the class gave itself. */
  #ownKey(instance: object): string | undefined {
    const own = this.form.declaresKey ? (instance as Value)[this.form.keyName] : undefined
    if (own === undefined || own === null) return undefined
    const wrong = this.#wrongKey(own)
    if (wrong) throw wrong
    return own as string
  }

  #wrongKey(given: unknown): ValidationError | undefined {
    if (!this.options.clientKeys) return this.#wrong('key', 'is given by the server')
    try {
      assertKey(given)
      return given.startsWith(reserved) ? this.#wrong('key', 'is not free') : undefined
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      return this.#wrong('key', 'is 1 to 255 of the characters A-Z a-z 0-9 _ -')
    }
  }

  #wrong(code: string, detail: string): ValidationError {
    const violation = this.form.violation(code, detail)
    return new ValidationError(violation.detail, { code: 'validation', errors: [violation] })
  }

  #exists(pointer: string): ResourceExists {
    const violation = this.form.violation('exists', 'is taken')
    const errors = [{ ...violation, pointer: pointer + violation.pointer }]
    return new ResourceExists('There is a document with this key', { code: 'exists', errors })
  }
}

function refusedBody(status: number, errors: readonly Violation[]): HttpError {
  const detail = 'The body breaks its rules'
  if (status === 422) return new ValidationError(detail, { code: 'validation', errors })
  return new HttpError(status, detail, { code: 'validation', errors })
}

/** A parameter of the media type, which no representation shows, says which request has created a document. */
function typeFor(owner: string | undefined): string {
  return owner === undefined ? documentType : `${documentType}; request=${owner}`
}
