import type { HttpError } from '../errors'
import type { ParamPlan, RoutePlan } from '../route/plan'
import type { AbstractConstructor } from '../types'

/** What the refusals of a route hang on beside its plan. */
export interface RefusalSettings {
  readonly bodyStatus: number
  readonly negotiation: 'strict' | 'lenient'
  readonly statusOf: (error: unknown) => number | undefined
}

const texts: ReadonlySet<ParamPlan['source']> = new Set([
  'path',
  'query',
  'header',
  'cookie',
  'page',
  'where',
  'fields',
])

/**
 * The statuses with which a route may refuse a request, those that can occur and no others.
 *
 * @param plan the route
 * @param conditional whether it hears conditions
 */
export function refusalsOf(plan: RoutePlan, conditional: boolean, settings: RefusalSettings): Set<number> {
  const { access, body, requireMatch, reply } = plan
  const found = new Set<number>([500])
  if (readsText(plan) || body) found.add(400)
  if (access) found.add(401)
  if (access && (access.roles.length > 0 || access.rule)) found.add(403)
  if (mayBeMissing(plan)) found.add(404)
  if (settings.negotiation === 'strict' && !reply.produces.includes('*/*') && !reply.redirect) found.add(406)
  if (conditional) found.add(412)
  if (requireMatch) found.add(428)
  if (body) addBody(found, plan, settings)
  if (plan.paging || givesBytes(plan)) found.add(416)
  if (isLimitedInTime(plan)) found.add(503)
  for (const error of plan.doc.throws) found.add(statusOfClass(error, settings))
  for (const { status } of plan.doc.answers) if (status >= 400) found.add(status)
  return found
}

/** A path with parameters may have a bad escape in it. */
function readsText({ path, params, paging, queryNames }: RoutePlan): boolean {
  if (typeof path === 'string' && /[:*]/.test(path)) return true
  return paging !== undefined || queryNames.length > 0 || params.some(({ source }) => texts.has(source))
}

/** What a path names may not be there; elsewhere only `@OnNull` and `@Throws` say so. */
function mayBeMissing({ path, method, reply, doc }: RoutePlan): boolean {
  // What is not there is created.
  if (method === 'PUT' && doc.answers.some(({ status }) => status === 201)) return false
  if (typeof path !== 'string' || /[:*]/.test(path)) return true
  return reply.nullStatus === 404 && method !== 'GET' && method !== 'HEAD'
}

function addBody(found: Set<number>, plan: RoutePlan, { bodyStatus }: RefusalSettings): void {
  const { body } = plan
  found.add(413)
  found.add(415)
  const checked = plan.params.some(({ source }) => source === 'body' || source === 'file' || source === 'files')
  if (checked && !body?.stream) found.add(bodyStatus)
}

/** Whether a route hands out bytes of any kind: those can be asked for in part. */
export function givesBytes({ method, reply }: RoutePlan): boolean {
  return method === 'GET' && reply.produces.includes('*/*')
}

/** `@Timeout` and `@Atomic` are interceptors of these names, as are those of others that do the same. */
function isLimitedInTime({ around }: RoutePlan): boolean {
  return around.some(({ name }) => name === 'timeout' || name === 'atomic')
}

/** The status of a class of errors: that of an instance, by itself or by the application's rules. */
export function statusOfClass(Class: AbstractConstructor, { statusOf }: Pick<RefusalSettings, 'statusOf'>): number {
  try {
    const error: unknown = Reflect.construct(Class, [])
    const status = statusOf(error) ?? (error as Partial<HttpError>).status
    return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500
  } catch {
    // It wants arguments that nobody here has: what its kind is called tells no status.
    return 500
  }
}
