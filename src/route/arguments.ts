import { BadRequest, HttpError, ValidationError, type ValueSource, type Violation } from '../errors'
import { parseCookies } from '../http/cookie'
import { expandQuery, type QueryMap } from '../http/query'
import type { Awaitable } from '../types'
import type { BodyReader, DecodedBody } from './body'
import { createJsonCheck, createTextCheck, Refusal, type Check } from './checks'
import { parseFields, type Paging } from './paging'
import { TextValue, type Context, type Limits, type ParamPlan, type Pipe, type RoutePlan, type Settings } from './plan'
import { queryOf } from './query'
import { signalOf } from './signal'

/** What the readers of one route share. */
export interface ArgumentsShared extends Pick<
  Settings,
  'validate' | 'declared' | 'pipes' | 'unknownBody' | 'bodyStatus' | 'stopping'
> {
  readonly body?: BodyReader
  readonly paging?: Paging
  /** The bounds of this route. */
  readonly limits: Limits
}

/** Reads all arguments of a route: at once where nothing is asynchronous, else as a promise. */
export type ReadArguments = (ctx: Context) => Awaitable<unknown[]>

/** Takes one value; what is wrong with it goes to the list. */
type Take = (ctx: Context, wrong: Violation[]) => unknown

/** Takes one value out of a body. */
type TakeBody = (body: DecodedBody, wrong: Violation[], ctx: Context) => Awaitable<unknown>

/** A step after a value is taken: validation, pipes, conversion. */
type Finish = (value: unknown, ctx: Context) => Awaitable<unknown>

interface Slot {
  readonly index: number
  readonly take?: Take
  readonly takeBody?: TakeBody
  readonly finish?: Finish
}

const sources: Partial<Record<ParamPlan['source'], ValueSource>> = {
  path: 'path',
  query: 'query',
  header: 'header',
  cookie: 'cookie',
}

const noArguments: unknown[] = []

/**
 * The reader of a route's arguments, specialised at start. What is wrong outside the body is collected and answered 400
 * before a byte of the body is read; what is wrong in it is answered together as well.
 *
 * @param plan the route
 * @param shared its body reader, its paging and the pipes
 */
export function createArguments(plan: RoutePlan, shared: ArgumentsShared): ReadArguments {
  const slots = plan.params.map((param) => createSlot(plan, param, shared))
  const refuseUnknown = createQueryGuard(plan, shared)
  if (slots.length === 0 && !refuseUnknown) return () => noArguments
  const plain = slots.every((slot) => slot.take && !slot.finish)
  return plain ? readPlain(slots, refuseUnknown) : readInOrder(slots, refuseUnknown, shared)
}

/** Only texts and things of the context: no promise anywhere. */
function readPlain(slots: readonly Slot[], refuseUnknown: Take | undefined): ReadArguments {
  const takes = slots.map((slot) => slot.take as Take)
  const places = slots.map((slot) => slot.index)
  const length = Math.max(-1, ...places) + 1
  return function readArguments(ctx) {
    const wrong: Violation[] = []
    const values = new Array<unknown>(length)
    for (let i = 0; i < takes.length; i++) values[places[i] as number] = (takes[i] as Take)(ctx, wrong)
    refuseUnknown?.(ctx, wrong)
    if (wrong.length > 0) throw new BadRequest('The request has wrong arguments', { code: 'arguments', errors: wrong })
    return values
  }
}

function readInOrder(slots: readonly Slot[], refuseUnknown: Take | undefined, shared: ArgumentsShared): ReadArguments {
  const early = slots.filter((slot) => slot.take)
  const late = slots.filter((slot) => slot.takeBody)
  const length = Math.max(-1, ...slots.map((slot) => slot.index)) + 1
  return async function readArguments(ctx) {
    const wrong: Violation[] = []
    const values = new Array<unknown>(length)
    for (const { index, take } of early) values[index] = take?.(ctx, wrong)
    refuseUnknown?.(ctx, wrong)
    if (wrong.length > 0) throw new BadRequest('The request has wrong arguments', { code: 'arguments', errors: wrong })
    for (const { index, finish } of early) {
      const value = values[index]
      values[index] = finish ? await finish(value, ctx) : isPromise(value) ? await value : value
    }
    if (late.length === 0 || !shared.body) return values
    const body = await shared.body.decoded(ctx)
    for (const { index, takeBody } of late) values[index] = await takeBody?.(body, wrong, ctx)
    if (wrong.length > 0) throw refusedBody(wrong, shared)
    for (const { index, finish } of late) if (finish) values[index] = await finish(values[index], ctx)
    return values
  }
}

function refusedBody(errors: Violation[], { bodyStatus }: ArgumentsShared): HttpError {
  const detail = 'The body breaks its rules'
  if (bodyStatus === 422) return new ValidationError(detail, { code: 'validation', errors })
  return new HttpError(bodyStatus, detail, { code: 'validation', errors })
}

// --- One parameter -----------------------------------------------------------------------------------------------------

function createSlot(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): Slot {
  const { index } = param
  switch (param.source) {
    case 'path':
    case 'query':
    case 'header':
    case 'cookie':
      if (param.members) return { index, take: groupTake(param, shared), finish: createFinish(param, shared) }
      if (param.name === undefined)
        return { index, take: wholeQuery(plan, param, shared), finish: createFinish(param, shared) }
      return { index, take: textTake(param, shared), finish: createFinish(param, shared) }
    case 'body':
    case 'file':
    case 'files':
      return { index, takeBody: bodyTake(plan, param, shared), finish: createFinish(param, shared) }
    case 'page':
      return { index, take: (ctx) => shared.paging?.read(ctx) }
    case 'where':
      return { index, take: whereTake(shared) }
    case 'fields':
      return { index, take: (ctx) => parseFields(queryOf(ctx, shared.limits.keys).get('fields')?.join(',') ?? '') }
    case 'context':
      return { index, take: (ctx) => ctx }
    case 'state':
      return { index, take: stateTake(param), finish: createFinish(param, shared) }
    case 'user':
      return { index, take: (ctx) => (ctx.state as { user?: unknown }).user, finish: createFinish(param, shared) }
    case 'signal':
      return { index, take: (ctx) => signalOf(ctx, shared.stopping) }
    case 'limits':
      return { index, take: () => shared.limits }
    case 'rawBody':
      return { index, take: (ctx) => shared.body?.raw(ctx), finish: createFinish(param, shared) ?? settle }
    case 'custom':
      return { index, take: (ctx) => param.read?.(ctx), finish: createFinish(param, shared) ?? settle }
  }
}

/** The filters of the query; none at all would mean everything, and is refused. */
function whereTake({ paging, limits }: ArgumentsShared): Take {
  return (ctx, wrong) => {
    const where = paging?.read(ctx).where ?? {}
    if (Object.keys(where).length === 0) {
      wrong.push({ in: 'query', pointer: '', code: 'required', detail: 'Say in the query which ones' })
    }
    // Who sends a limit expects that no more than so many are touched.
    for (const name of paging?.names ?? []) {
      if (name in where || !queryOf(ctx, limits.keys).has(name)) continue
      wrong.push({ in: 'query', pointer: `/${name}`, code: 'unknown', detail: `${name} says nothing of which ones` })
    }
    return where
  }
}

const settle: Finish = (value) => value

function stateTake({ name }: ParamPlan): Take {
  if (name === undefined) return (ctx) => ctx.state
  return (ctx) => (ctx.state as Record<string, unknown>)[name]
}

/** Where the text of a named value stands. */
function textSource(param: ParamPlan, keys: number): (ctx: Context) => string | readonly string[] | undefined {
  const name = param.name as string
  const { list } = param.type
  const one = (values: readonly string[] | undefined): string | readonly string[] | undefined =>
    values === undefined || values.length !== 1 ? values : values[0]
  switch (param.source) {
    case 'path':
      return (ctx) => ctx.params[name]
    case 'query':
      return list ? (ctx) => listed(queryOf(ctx, keys), name) : (ctx) => one(queryOf(ctx, keys).get(name))
    case 'cookie':
      return (ctx) => parseCookies(ctx.req.headers.cookie).get(name)
    default: {
      const header = name.toLowerCase()
      return (ctx) => {
        const value = ctx.req.headers[header]
        return list && typeof value === 'string' ? splitList(value) : value
      }
    }
  }
}

/** A list may be spelled with brackets as well: `?tag=a&tag[]=b`. */
function listed(query: QueryMap, name: string): readonly string[] | undefined {
  const plain = query.get(name)
  const bracketed = query.get(`${name}[]`)
  return plain && bracketed ? [...plain, ...bracketed] : (plain ?? bracketed)
}

/** The elements of a list-valued field (RFC 9110 §5.6.1), empty ones left out. */
function splitList(value: string): string[] {
  return value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '')
}

function textTake(param: ParamPlan, shared: ArgumentsShared): Take {
  const source = textSource(param, shared.limits.keys)
  const check = param.type.kind === 'class' ? undefined : createTextCheck(param)
  const judge = createJudge(param, sources[param.source] ?? 'query', createFinish(param, shared) !== undefined)
  return (ctx, wrong) => {
    const text = source(ctx)
    if (text === undefined) return judge.absent(wrong)
    return check ? judge.accept(check(text), wrong) : text
  }
}

interface Judge {
  absent(wrong: Violation[]): unknown
  accept(value: unknown, wrong: Violation[]): unknown
}

/** The default of an absent value on its way past the pipes: it is the author's, so nothing checks or converts it. */
class Default {
  constructor(readonly value: unknown) {}
}

/** Turns absence and refusals of a named value into its default or into violations, which are made once, at start. */
function createJudge(param: ParamPlan, source: ValueSource, finished = false): Judge {
  const name = param.name ?? ''
  const pointer = `/${escapePointer(name)}`
  const missing: Violation = Object.freeze({
    in: source,
    pointer,
    code: 'required',
    detail: param.explain ?? `${name} is required`,
  })
  return {
    absent(wrong) {
      if (param.required) wrong.push(missing)
      return finished ? new Default(param.default) : copyDefault(param.default)
    },
    accept(value, wrong) {
      if (!(value instanceof Refusal)) return value
      wrong.push({
        in: source,
        pointer: value.element === undefined ? pointer : `${pointer}/${value.element}`,
        code: value.code,
        detail: param.explain ?? `${name} ${value.detail}`,
      })
      return undefined
    },
  }
}

/** A list as default is not shared between requests. */
function copyDefault(value: unknown): unknown {
  return Array.isArray(value) ? [...(value as unknown[])] : value
}

function groupTake(param: ParamPlan, shared: ArgumentsShared): Take {
  const members = (param.members ?? []).map((member) => ({
    as: member.as ?? member.name ?? '',
    take: textTake(member, shared),
    finish: createFinish(member, shared),
  }))
  return (ctx, wrong) => {
    const before = wrong.length
    const group: Record<string, unknown> = {}
    for (const { as, take } of members) group[as] = take(ctx, wrong)
    if (wrong.length > before || members.every(({ finish }) => !finish)) return group
    return finishGroup(group, members, ctx)
  }
}

async function finishGroup(
  group: Record<string, unknown>,
  members: ReadonlyArray<{ as: string; finish: Finish | undefined }>,
  ctx: Context,
): Promise<Record<string, unknown>> {
  for (const { as, finish } of members) if (finish) group[as] = await finish(group[as], ctx)
  return group
}

// --- The whole query ---------------------------------------------------------------------------------------------------

/** Names of the query that somebody reads by name. */
function namedQuery(plan: RoutePlan, shared: ArgumentsShared): Set<string> {
  const names = new Set([...plan.queryNames, ...(shared.paging?.names ?? [])])
  for (const param of plan.params) {
    if (param.source === 'fields') names.add('fields')
    if (param.source !== 'query') continue
    for (const { name, type } of param.members ?? [param]) {
      if (name === undefined) continue
      names.add(name)
      if (type.list) names.add(`${name}[]`)
    }
  }
  return names
}

function wholeQuery(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): Take {
  const taken = namedQuery(plan, shared)
  const checked = param.type.kind === 'class'
  const declared = plan.unknownQuery === 'ignore' && checked ? new Set(shared.declared(param)) : undefined
  return (ctx) => {
    const query = queryOf(ctx, shared.limits.keys)
    const wanted = (name: string): boolean => !taken.has(name) && (!declared || declared.has(name.replace(/\[.*/s, '')))
    const rest = taken.size > 0 || declared ? new Map([...query].filter(([name]) => wanted(name))) : query
    const value = expandQuery(rest, { keys: shared.limits.keys })
    return checked ? new TextValue(value) : value
  }
}

/** Refuses parameters that nobody reads, where somebody reads some and no class takes the rest. */
function createQueryGuard(plan: RoutePlan, shared: ArgumentsShared): Take | undefined {
  const whole = plan.params.some((param) => param.source === 'query' && !param.members && param.name === undefined)
  const names = namedQuery(plan, shared)
  if (whole || names.size === 0 || plan.unknownQuery === 'ignore') return undefined
  return (ctx, wrong) => {
    const url = ctx.req.url ?? ''
    if (!url.includes('?')) return
    for (const name of queryOf(ctx, shared.limits.keys).keys()) {
      if (names.has(name)) continue
      wrong.push({
        in: 'query',
        pointer: `/${escapePointer(name)}`,
        code: 'unknown',
        detail: `${name.slice(0, 80)} is not a parameter here`,
      })
    }
  }
}

// --- The body ------------------------------------------------------------------------------------------------------------

function bodyTake(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): TakeBody {
  if (param.source === 'file' || param.source === 'files') return fileTake(param)
  if (param.members) {
    const members = param.members.map((member) => ({
      as: member.as ?? member.name ?? '',
      take: memberTake(plan, member, shared),
      finish: createFinish(member, shared),
    }))
    return async (body, wrong, ctx) => {
      const before = wrong.length
      const group: Record<string, unknown> = {}
      for (const { as, take } of members) group[as] = await take(body, wrong, ctx)
      return wrong.length > before ? group : finishGroup(group, members, ctx)
    }
  }
  if (param.name !== undefined) return memberTake(plan, param, shared)
  if (param.type.kind === 'class') {
    return ({ value, text, empty }) => (empty ? undefined : text ? new TextValue(value) : value)
  }
  const judge = createJudge({ ...param, name: 'body' }, 'body', createFinish(param, shared) !== undefined)
  const json = createJsonCheck(param)
  const fromText = createTextCheck(param)
  return ({ value, text, empty }, wrong) => {
    if (empty) return judge.absent(wrong)
    const before = wrong.length
    const result = judge.accept(text ? fromText(value) : json(value), wrong)
    const last = wrong[before]
    // The whole body has the empty pointer.
    if (last) wrong[before] = { ...last, pointer: last.pointer.slice('/body'.length) }
    return result
  }
}

const notAnObject: Violation = Object.freeze({
  in: 'body',
  pointer: '',
  code: 'type',
  detail: 'The body must be an object',
})

/** One member of an object body. Names that nobody reads are refused once, by the first member. */
function memberTake(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): TakeBody {
  const name = param.name as string
  const judge = createJudge(param, 'body', createFinish(param, shared) !== undefined)
  const checks: Record<'json' | 'text', Check | undefined> =
    param.type.kind === 'class'
      ? { json: undefined, text: undefined }
      : { json: createJsonCheck(param), text: createTextCheck(param) }
  const known = bodyNames(plan)
  const first = known.values().next().value === name
  return ({ value, text, empty }, wrong) => {
    if (empty) return judge.absent(wrong)
    if (!isRecord(value)) {
      if (first || !wrong.includes(notAnObject)) wrong.push(notAnObject)
      return undefined
    }
    if (first && shared.unknownBody === 'refuse') refuseMembers(value, known, wrong)
    if (!Object.hasOwn(value, name)) return judge.absent(wrong)
    const member = value[name]
    const check = text ? checks.text : checks.json
    if (check) return judge.accept(check(member), wrong)
    return text ? new TextValue(member) : member
  }
}

function bodyNames(plan: RoutePlan): Set<string> {
  const names = new Set<string>()
  for (const param of plan.params) {
    if (param.source !== 'body') continue
    for (const each of param.members ?? [param]) if (each.name !== undefined) names.add(each.name)
  }
  return names
}

function refuseMembers(value: Record<string, unknown>, known: Set<string>, wrong: Violation[]): void {
  for (const name of Object.keys(value)) {
    if (known.has(name)) continue
    wrong.push({
      in: 'body',
      pointer: `/${escapePointer(name)}`,
      code: 'unknown',
      detail: `${name.slice(0, 80)} is not a member here`,
    })
  }
}

function fileTake(param: ParamPlan): TakeBody {
  const name = param.name as string
  const judge = createJudge(param, 'body')
  const { min = 0, max = Infinity } = param
  return ({ files }, wrong) => {
    const found = files?.get(name)
    if (!found || found.length === 0) return param.source === 'files' && !param.required ? [] : judge.absent(wrong)
    if (param.source === 'file') {
      return found.length === 1 ? found[0] : judge.accept(new Refusal('type', 'must be one file'), wrong)
    }
    if (found.length < min) return judge.accept(new Refusal('min', `must be at least ${min} files`), wrong)
    if (found.length > max) return judge.accept(new Refusal('max', `must be at most ${max} files`), wrong)
    return [...found]
  }
}

// --- After the value is taken ----------------------------------------------------------------------------------------------

/** Validation where the type is a class, then the pipes, then the conversion; `undefined` where there is none of it. */
function createFinish(param: ParamPlan, shared: ArgumentsShared): Finish | undefined {
  if (param.members) {
    const needs = param.members.some((member) => createFinish(member, shared))
    return needs ? settle : undefined
  }
  const pipes = [...shared.pipes, ...(param.pipes ?? [])]
  const validated = isValidated(param)
  if (validated) pipes.unshift(param.name === undefined ? shared.validate : below(param.name, shared.validate))
  const { convert } = param
  if (pipes.length === 0 && !convert) return undefined
  const refuse = createJudge(param, sources[param.source] ?? 'body')
  return async (input, ctx) => {
    let value = isPromise(input) ? await input : input
    if (value instanceof Default) return copyDefault(value.value)
    if (value === undefined && !param.required) return value
    for (const pipe of pipes) value = await pipe(value, param)
    if (convert) value = await convertValue(convert, value, ctx, refuse)
    if (isNothing(value)) throw refusedConversion('', refuse)
    return value
  }
}

/**
 * Whether the validation pipe checks this parameter: a class, taken from a body or from a whole query. A class behind a
 * single text is what a pipe or a converter of the author's makes of it.
 */
export function isValidated({ type, source, name, convert }: ParamPlan): boolean {
  return type.kind === 'class' && !convert && (source === 'body' || (source === 'query' && name === undefined))
}

/** The same pipe on a named value: its violations point below the name. */
function below(name: string, pipe: Pipe): Pipe {
  const prefix = `/${escapePointer(name)}`
  return async (value, param) => {
    try {
      return await pipe(value, param)
    } catch (error) {
      if (!(error instanceof HttpError) || !error.errors) throw error
      const errors = error.errors.map((violation) => ({ ...violation, pointer: prefix + violation.pointer }))
      throw new HttpError(error.status, error.detail, { code: error.code, errors })
    }
  }
}

async function convertValue(
  convert: NonNullable<ParamPlan['convert']>,
  value: unknown,
  ctx: Context,
  judge: Judge,
): Promise<unknown> {
  try {
    return await convert(value as never, ctx)
  } catch (error) {
    if (error instanceof HttpError || hasStatus(error)) throw error
    // What the engine throws (new URL, JSON.parse, BigInt) quotes the value: only a message of the author's is passed on.
    throw refusedConversion(error instanceof Error && !engineErrors.has(error.constructor) ? error.message : '', judge)
  }
}

function refusedConversion(authored: string, judge: Judge): BadRequest {
  const errors: Violation[] = []
  judge.accept(new Refusal('convert', authored || 'is not valid'), errors)
  const [violation] = errors
  return new BadRequest(authored || 'The request has wrong arguments', {
    code: 'arguments',
    errors: violation && [authored ? { ...violation, detail: authored } : violation],
  })
}

/** `Number('x')`, `new Date('x')`: a conversion that found nothing to convert, and did not throw. */
function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isNothing)
  return Number.isNaN(value) || (value instanceof Date && Number.isNaN(value.getTime()))
}

const engineErrors = new Set<unknown>([TypeError, SyntaxError, RangeError, ReferenceError, URIError])

function hasStatus(error: unknown): boolean {
  return error instanceof Error && 'status' in error && typeof error.status === 'number'
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** RFC 6901 §3. */
function escapePointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}
