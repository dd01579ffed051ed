import { ConfigurationError, Gone, NotImplemented } from '../errors'
import {
  definePlan,
  type AnswerDoc,
  type Context,
  type Limits,
  type Middleware,
  type ParamDoc,
  type PageRequest,
  type PlanInit,
  type PlanSet,
  type PlanTools,
  type RoutePlan,
} from '../route/plan'
import { Reply } from '../route/replies'
import type { Constructor } from '../types'
import { Creator, type Validate } from './collection-create'
import { feedOf } from './collection-feed'
import { Form } from './collection-form'
import { Idempotency } from './collection-idempotency'
import { Items, patchTypes, written, type ToPlain } from './collection-items'
import { listPage } from './collection-list'
import { collectionPaging, type CollectionPaging } from './collection-paging'
import { Shelf, type Found } from './collection-shelf'
import { addressOf } from './documents-address'
import type { Store } from './store'
import { createUuids } from './uuid'

/** Options of {@link collection}. */
export interface CollectionOptions<T extends object = object> {
  /** The class of the documents: bodies are held to its rules, its scalar members are filters and sort keys. */
  readonly model: Constructor<T>
  /** Where the documents are; all of its JSON documents belong to the collection. Closed with the application. */
  readonly store: Store
  /** The name under which a document shows its key. Default `id`. */
  readonly key?: string
  /** Whether POST takes the key of the body, where it has one. Default false: the server gives a UUID of version 7. */
  readonly clientKeys?: boolean
  /** Whether PUT creates what is not there. Default false: 404. */
  readonly upsert?: boolean
  /** How the list is paged, filtered and sorted. */
  readonly paged?: CollectionPaging
  /** Whether POST also takes a list, and creates all of it or nothing. Default false. */
  readonly batch?: boolean
  /** Whether a deleted document answers 410 in place of 404. Default false. */
  readonly tombstones?: boolean
  /** Whether writes of a document without a condition are refused with 428. Default false. */
  readonly requireMatch?: boolean
  /** Where answers are kept for `Idempotency-Key`; `false`: the header is ignored. Default: the collection's store. */
  readonly idempotency?: Store | false
  /** The name of the collection: range unit and tag. Default: the last fixed segment of the path. */
  readonly name?: string
  /** Koa middleware around every operation, outermost first. */
  readonly use?: readonly Middleware[]
  /** Whether the stores are closed with the application. Default true. */
  readonly close?: boolean
}

/**
 * REST over one class and one store: a list that is paged, filtered and sorted, documents that are created, read,
 * replaced, patched and deleted, with entity tags, conditions, `Idempotency-Key` and a feed of changes.
 *
 * @param path where it is mounted: `/books`
 * @param options the class, the store, and what differs from the defaults
 * @throws ConfigurationError where the path, the class or a name will not do, here or when an application takes it
 *
 * @example
 * class Note {
 *   @IsString() @Length(1, 200) title!: string
 * }
 * createApp({ resources: [collection('/notes', { model: Note, store: docstore(memory()) })] })
 */
export function collection<T extends object>(path: string, options: CollectionOptions<T>): PlanSet {
  const { model, store, key = 'id', idempotency = store, close = true } = options
  const where = `collection(${path})`
  if (typeof model !== 'function') {
    throw new ConfigurationError(where, 'it has no model', 'Give the class of the documents: { model: Book, store }')
  }
  if (!/^[A-Za-z_$][\w$-]*$/.test(key) || key === '__proto__' || key === 'constructor') {
    throw new ConfigurationError(where, `"${key}" cannot name the key`, "Write a name, key: 'id'")
  }
  const make = (tools: PlanTools): readonly RoutePlan[] => plansOf(path, where, options, tools)
  return {
    plans: make({ members: () => [], paging: {}, structured: ['application/json', '+json'] }),
    complete: make,
    close: close
      ? async () => {
          await store.close()
          if (idempotency) await idempotency.close()
        }
      : undefined,
  }
}

function plansOf<T extends object>(
  path: string,
  where: string,
  options: CollectionOptions<T>,
  tools: PlanTools,
): readonly RoutePlan[] {
  const { model, store, key: keyName = 'id', idempotency = store, clientKeys = false, batch = false } = options
  const base = path.endsWith('/') ? path.slice(0, -1) : path
  const name = options.name ?? nameOf(base)
  const members = tools.members(model)
  const form = new Form(model, keyName, members, where, tools.toInputNames?.(model))
  const shelf = new Shelf(store, options.tombstones ?? false)
  const param = /^[A-Za-z_$][\w$]*$/.test(keyName) ? keyName : 'key'
  const items = new Items(shelf, form, { upsert: options.upsert ?? false, param })
  const creator = new Creator(shelf, form, { clientKeys, batch })
  const post = poster(creator, idempotency ? new Idempotency(idempotency) : undefined)

  const text = { kind: 'string', list: false } as const
  const type = { kind: 'class', class: model, list: false } as const
  const key = { source: 'path', name: param, type: text } as const
  const context = { source: 'context' } as const
  const plain = { source: 'plain' } as const
  // The key is taken off before the rules are asked, which the class may know nothing of: see `validator`.
  const sent = { source: 'body', type, convert: (value: unknown) => value } as const
  const validator = { source: 'validator', type } as const
  const guarded = { requireMatch: options.requireMatch }
  const body = { consumes: tools.structured }
  const applied = { 'Preference-Applied': 'The `return` preference, where one was sent.' }
  const found: AnswerDoc = { status: 200, type, headers: applied }
  const unsaid: AnswerDoc = { status: 204, description: 'Done, under `return=minimal`', headers: applied }
  const missing: AnswerDoc = { status: 404, description: 'There is no such document' }
  const gone: AnswerDoc[] = options.tombstones ? [{ status: 410, description: 'It was deleted' }] : []
  const failed: AnswerDoc = { status: 412, description: 'The document has another revision' }
  const invalid: AnswerDoc = { status: 422, description: 'The document breaks its rules' }
  const busy: AnswerDoc = { status: 409, description: 'Too many write this document at once' }
  const existing: AnswerDoc = { status: 409, description: 'The key is taken, or the same request is under way' }
  const untested: AnswerDoc = { status: 409, description: 'A test of the patch fails, or too many write this document' }
  const created: AnswerDoc = { status: 201, type, etag: true, headers: applied }
  const feed: AnswerDoc = {
    status: 200,
    produces: ['text/event-stream'],
    description: 'the changes, where they are asked for',
  }
  const one = { key: { name: keyName, sent: true }, conditional: true, params: [] as readonly ParamDoc[] }
  const writes = { ...one, params: [preferDoc] }

  const plan = (
    id: string,
    method: string,
    at: string,
    { doc, ...init }: Omit<PlanInit, 'id' | 'method' | 'path'>,
  ): RoutePlan =>
    definePlan({
      ...init,
      id: `${where}.${id}`,
      method,
      path: at,
      use: options.use,
      doc: { tags: [name], ...doc },
    })
  const list = base || '/'
  const item = `${base}/:${param}`

  return [
    plan('list', 'GET', list, {
      params: [{ source: 'page' }, plain],
      queryNames: ['watch'],
      around: [feedOf(shelf, form)],
      paging: collectionPaging(options.paged ?? {}, { where, name, keyName, members }, tools),
      call: ((page: PageRequest, toPlain: ToPlain) => listPage(store, form, page, toPlain)) as PlanInit['call'],
      doc: {
        summary: `The ${name}`,
        key: { name: keyName, sent: false },
        conditional: false,
        params: feedDocs,
        answers: [{ status: 200, type: { ...type, list: true } }, feed],
        throws: [Gone, NotImplemented],
      },
    }),
    plan('create', 'POST', list, {
      params: [sent, context, validator, plain],
      body,
      call: post as PlanInit['call'],
      doc: {
        summary: `Adds to the ${name}`,
        key: { name: keyName, sent: clientKeys },
        conditional: false,
        params: idempotency ? [preferDoc, idempotencyDoc] : [preferDoc],
        answers: [created, existing, invalid],
        throws: [NotImplemented],
      },
    }),
    plan('read', 'GET', item, {
      params: [key, { source: 'fields' }, plain],
      call: ((id: string, fields: readonly string[], toPlain: ToPlain) =>
        items.read(id, fields, toPlain)) as PlanInit['call'],
      doc: { ...one, summary: `One of the ${name}`, answers: [{ status: 200, type }, missing, ...gone] },
    }),
    plan('replace', 'PUT', item, {
      ...guarded,
      params: [key, sent, context, validator, plain],
      body,
      call: ((id: string, value: unknown, ctx: Context, validate: Validate, toPlain: ToPlain) =>
        items.replace(id, value, ctx, validate, toPlain)) as PlanInit['call'],
      doc: {
        ...writes,
        summary: `Replaces one of the ${name}`,
        answers: [found, ...(options.upsert ? [created] : []), unsaid, missing, ...gone, busy, failed, invalid],
      },
    }),
    plan('patch', 'PATCH', item, {
      ...guarded,
      params: [key, { source: 'body', nullable: true }, context, validator, plain, { source: 'limits' }],
      body: { consumes: patchTypes },
      call: ((id: string, patch: unknown, ctx: Context, validate: Validate, toPlain: ToPlain, limits: Limits) =>
        items.patch(id, patch, ctx, validate, toPlain, limits)) as PlanInit['call'],
      doc: {
        ...writes,
        summary: `Changes one of the ${name}`,
        answers: [found, unsaid, missing, ...gone, untested, failed, invalid],
      },
    }),
    plan('delete', 'DELETE', item, {
      ...guarded,
      params: [key, context],
      call: ((id: string, ctx: Context) => items.remove(id, ctx)) as PlanInit['call'],
      doc: {
        ...one,
        summary: `Deletes one of the ${name}`,
        answers: [{ status: 204 }, missing, ...gone, busy, failed],
      },
    }),
  ]
}

// --- What is only said ------------------------------------------------------------------------------------------------

const preferDoc: ParamDoc = {
  source: 'header',
  name: 'Prefer',
  description: '`return=minimal`: without a body; `return=representation`: with the document (RFC 7240 §4.2).',
}

const idempotencyDoc: ParamDoc = {
  source: 'header',
  name: 'Idempotency-Key',
  description: '1 to 255 visible ASCII characters: the same request under the same key is answered as it was.',
}

const feedDocs: readonly ParamDoc[] = [
  { source: 'query', name: 'watch', description: 'Present: the changes instead, as server-sent events.' },
  {
    source: 'header',
    name: 'Last-Event-ID',
    description: 'The last event that the client has: the feed goes on behind it.',
  },
]

/** POST: one document, or a list of them, once for each `Idempotency-Key`. */
function poster(
  creator: Creator,
  idempotency: Idempotency | undefined,
): (sent: unknown, ctx: Context, validate: Validate, toPlain: ToPlain) => Promise<Reply> {
  const { form } = creator
  const nextKey = createUuids()
  return async function post(sent, ctx, validate, toPlain) {
    const elements = creator.listOf(sent)
    const makeKeys = (): readonly string[] => Array.from({ length: elements?.length ?? 1 }, nextKey)
    const create = async (attempt: Parameters<Creator['one']>[1]): Promise<readonly Found[]> =>
      elements ? creator.all(elements, attempt, validate) : [await creator.one(sent, attempt, validate)]
    const made = idempotency ? await idempotency.run(ctx, sent, makeKeys, create) : await create({ keys: makeKeys() })
    const shown = made.map(({ meta, value }) => ({ meta, value: form.show(meta.key, value, toPlain) }))
    if (elements)
      return new Reply(
        201,
        shown.map(({ value }) => value),
      )
    return written(ctx, shown[0]!, addressOf(ctx, shown[0]!.meta.key, ''))
  }
}

/** The last fixed segment of a path. */
function nameOf(base: string): string {
  const fixed = base.split('/').filter((segment) => /^[\w.~-]+$/.test(segment))
  return fixed.at(-1) ?? 'documents'
}
