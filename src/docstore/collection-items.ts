import { HttpError, ValidationError } from '../errors'
import { evaluate, formatETag, formatHttpDate } from '../http/conditional'
import { parseMediaType } from '../http/media-type'
import { formatPreferenceApplied, parsePrefer } from '../http/prefer'
import type { Context, Limits } from '../route/plan'
import { conditionsOf } from '../route/precondition'
import { project } from '../route/projection'
import { Reply, Tagged } from '../route/replies'
import type { Validate } from './collection-create'
import { isRecord, type Form } from './collection-form'
import { applyJsonPatch } from './collection-json-patch'
import { mergePatch } from './collection-merge-patch'
import { reserved, untilWritten, type Found, type Shelf } from './collection-shelf'
import { View } from './collection-view'
import { addressOf } from './documents-address'
import type { Meta } from './driver'
import { isConditional, isConflict, refused, validatorsOf } from './revision'

/** Instances to plain data, as the application does it. */
export type ToPlain = (value: unknown) => unknown

/** Media types of patches. */
export const patchTypes = ['application/merge-patch+json', 'application/json-patch+json'] as const

/** What happens to one document. */
export class Items {
  constructor(
    readonly shelf: Shelf,
    readonly form: Form,
    readonly options: { readonly upsert: boolean; readonly param: string },
  ) {}

  /** The document, or its named members; conditions are the reply's. */
  async read(key: string, fields: readonly string[], toPlain: ToPlain): Promise<Tagged> {
    const { meta, value } = await this.shelf.read(key)
    return tagged(project(this.form.show(key, value, toPlain), fields), meta)
  }

  async replace(key: string, sent: unknown, ctx: Context, validate: Validate, toPlain: ToPlain): Promise<Reply> {
    const { shelf, form } = this
    const { upsert, param } = this.options
    const { given, rest } = form.lift(sent)
    if (given !== undefined && given !== key) throw this.#otherKey()
    if (key.startsWith(reserved)) throw shelf.absence(undefined)
    const body = form.encode(key, await validate(form.withKey(rest, key)))
    const value = form.decode(body)
    // Nothing has to be known beforehand: that it must exist is decided by the store.
    if (!upsert && !shelf.tombstones && !isConditional(ctx)) {
      const meta = await shelf.put(key, body, '*').catch((error: unknown) => {
        throw isConflict(error) ? shelf.absence(undefined) : error
      })
      return written(ctx, { meta, value: form.show(key, value, toPlain) })
    }
    return untilWritten(async () => {
      const current = await shelf.look(key)
      const live = shelf.live(current)
      if (!live && !upsert) throw shelf.absence(current)
      if (evaluate(conditionsOf(ctx), live && validatorsOf(live)) !== 'proceed') throw refused(live)
      const meta = await shelf.put(key, body, current?.rev ?? null)
      const location = live ? undefined : addressOf(ctx, key, param)
      return written(ctx, { meta, value: form.show(key, value, toPlain) }, location)
    })
  }

  /** Reads, patches, validates and writes on what was read, again where somebody was faster: no change is lost. */
  async patch(
    key: string,
    patch: unknown,
    ctx: Context,
    validate: Validate,
    toPlain: ToPlain,
    limits: Limits,
  ): Promise<Reply> {
    const { shelf, form } = this
    const merges = parseMediaType(ctx.req.headers['content-type'] ?? '')?.essence === patchTypes[0]
    return untilWritten(async () => {
      const { meta: current, value } = await shelf.read(key)
      if (evaluate(conditionsOf(ctx), validatorsOf(current)) !== 'proceed') throw refused(current)
      const whole = form.toBody(key, value)
      // A merge patch says nothing of what is there; operations could copy what is hidden, or ask for it.
      const view = merges ? undefined : new View(whole, form.show(key, value, toPlain))
      const patched = view
        ? view.restore(applyJsonPatch(view.document, patch, { grown: limits.body }))
        : mergePatch(whole, patch)
      assertDepth(patched, limits.depth)
      if (isRecord(patched) && patched[form.keyName] !== key) throw this.#otherKey()
      const { rest } = form.lift(patched)
      const body = form.encode(key, await validate(form.withKey(rest, key)))
      // It ceases to be there when it would have without the patch.
      const meta = await shelf.put(key, body, current.rev, { expires: current.expires })
      return written(ctx, { meta, value: form.show(key, form.decode(body), toPlain) })
    })
  }

  async remove(key: string, ctx: Context): Promise<Reply> {
    const { shelf } = this
    return untilWritten(async () => {
      if (!shelf.tombstones && !isConditional(ctx) && !key.startsWith(reserved)) {
        if (await shelf.remove(key, undefined)) return new Reply(204)
        throw shelf.absence(undefined)
      }
      const current = await shelf.look(key)
      const live = shelf.live(current)
      if (!live) throw shelf.absence(current)
      if (evaluate(conditionsOf(ctx), validatorsOf(live)) !== 'proceed') throw refused(live)
      await shelf.remove(key, live.rev)
      return new Reply(204)
    })
  }

  #otherKey(): ValidationError {
    const violation = this.form.violation('key', 'is the key of the document and cannot be changed')
    return new ValidationError(violation.detail, { code: 'validation', errors: [violation] })
  }
}

/** The answer to a write, in full or, where the client prefers that, without a body (RFC 7240 §4.2). */
export function written(ctx: Context, { meta, value }: Found, location?: string): Reply {
  const wish = parsePrefer(ctx.get('Prefer')).get('return')
  const headers: Record<string, string> = location === undefined ? {} : { Location: location }
  const status = location === undefined ? 200 : 201
  if (wish === 'minimal' || wish === 'representation') {
    headers['Preference-Applied'] = formatPreferenceApplied([['return', wish]])
  }
  if (wish !== 'minimal') return new Reply(status, tagged(value, meta), headers)
  const validators = { ETag: formatETag(meta.rev), 'Last-Modified': formatHttpDate(new Date(meta.modified)) }
  return new Reply(status === 200 ? 204 : 201, undefined, { ...headers, ...validators })
}

function tagged(value: unknown, { rev, modified }: Meta): Tagged {
  return new Tagged(value, rev, new Date(modified))
}

/** Operations may nest a document deeper than any body is. */
function assertDepth(document: unknown, most: number): void {
  let level = [document]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) {
      const detail = `The patched document is nested deeper than ${most} levels`
      throw new HttpError(422, detail, { code: 'depth', errors: [{ in: 'body', pointer: '', code: 'depth', detail }] })
    }
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [],
    )
  }
}
