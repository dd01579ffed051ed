import { ConfigurationError } from '../errors'
import { defaultCodecs } from '../route/codecs/defaults'
import type { RoutePlan } from '../route/plan'
import { joinPaths } from './join-paths'
import { ClassSchemas, freeName } from './class-schemas'
import { operationOf, type OperationSettings } from './operation'
import { createTemplates, type PathTemplate } from './paths'
import { headerComponents, problemResponse, problemSchema, sentStatus, violationSchema } from './problems'
import { jsonPatchSchema } from './request-body'
import { schemesOf } from './security'
import type {
  Components,
  DocumentOptions,
  OpenApiDocument,
  OperationObject,
  PathItem,
  ResponseObject,
  Schema,
  SecurityRequirement,
  UnlistedRoute,
} from './types'

/** A document, and where in it each route stands. */
export interface BuiltDocument {
  readonly document: OpenApiDocument
  readonly places: ReadonlyMap<RoutePlan, ReadonlyArray<{ readonly path: string; readonly method: string }>>
}

/** The methods that a path item has words for (OpenAPI 3.1 §4.8.9). */
const methods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE'])

/** Names of components that are Kumu's own. */
const reserved: ReadonlySet<string> = new Set(['Problem', 'Violation', 'JsonPatch'])

/**
 * The OpenAPI 3.1 document of these routes: parameters, bodies and answers with their media types and headers, from plans
 * and the rules of class-validator alone.
 *
 * @param plans those of an application, `app.plans`
 * @param options title and version (default `API`, `0.0.0`), servers, security, and what differs in the application;
 *   `app.document()` knows all of it by itself
 * @returns plain data, to be written as JSON or YAML
 * @throws Error where a class needs class-validator-jsonschema and it is not installed; ConfigurationError for a name of a
 *   security scheme that there is not
 * @see https://spec.openapis.org/oas/v3.1.1
 *
 * @example
 * const plans = [definePlan({ id: 'ping', method: 'GET', path: '/ping', call: () => 'pong' })]
 * createDocument(plans, { info: { title: 'Ping', version: '1.0.0' } }).paths['/ping']?.get?.operationId // 'ping'
 */
export function createDocument(plans: readonly RoutePlan[], options: DocumentOptions = {}): OpenApiDocument {
  return buildDocument(plans, options).document
}

/** The same, for who asks for a part of it. */
export function buildDocument(plans: readonly RoutePlan[], options: DocumentOptions): BuiltDocument {
  const settings = toSettings(options)
  const templates = createTemplates()
  const paths: Record<string, PathItem> = {}
  const unlisted: UnlistedRoute[] = []
  const places = new Map<RoutePlan, Array<{ path: string; method: string }>>()
  const conditional = conditionalRoutes(plans)
  const ids = new Set<string>()
  for (const plan of plans) {
    if (plan.doc.hidden) continue
    const { id, method, path } = plan
    if (typeof path !== 'string' || !methods.has(method)) {
      unlisted.push({ id, method, path: String(path) })
      continue
    }
    for (const place of templates(joinPaths(options.prefix, path))) {
      const operation = makeOperation(plan, place, conditional.has(plan), ids, settings)
      const item = (paths[place.template] ??= {})
      const verb = method.toLowerCase()
      item[verb] ??= operation
      places.set(plan, [...(places.get(plan) ?? []), { path: place.template, method: verb }])
    }
  }
  const document = assemble(paths, unlisted, options, settings)
  return { document, places }
}

function makeOperation(
  plan: RoutePlan,
  place: PathTemplate,
  conditional: boolean,
  ids: Set<string>,
  settings: OperationSettings,
): OperationObject {
  const wish = plan.id.replace(/[^\w.-]+/g, '_').replace(/^_+|_+(?=\.|$)/g, '')
  const id = freeName(wish, (name) => ids.has(name))
  ids.add(id)
  return operationOf(plan, id, place, conditional, settings)
}

/**
 * The routes that hear conditions: by their own word, or because another route on the same path does. Where writes of a
 * resource are conditional, reads of it carry the entity tag.
 */
function conditionalRoutes(plans: readonly RoutePlan[]): ReadonlySet<RoutePlan> {
  const own = plans.filter(isConditional)
  const written = new Set(own.filter(({ method }) => method !== 'GET').map(({ path }) => String(path)))
  const reads = plans.filter(
    ({ method, path, paging, doc }) =>
      method === 'GET' && !paging && doc.conditional !== false && written.has(String(path)),
  )
  return new Set([...own, ...reads])
}

function isConditional({ requireMatch, reply, method, body, doc }: RoutePlan): boolean {
  if (doc.conditional !== undefined) return doc.conditional
  if (requireMatch || doc.throws.some(({ name }) => name === 'PreconditionFailed')) return true
  if (doc.answers.some(({ status, etag }) => status === 412 || (etag && method === 'GET'))) return true
  // Bytes of any kind, in or out: stored documents and files, which have entity tags.
  return reply.produces.includes('*/*') && (method === 'GET' || method === 'DELETE' || body?.stream === true)
}

// --- The whole ---------------------------------------------------------------------------------------------------------------

interface Settings extends OperationSettings {
  readonly patches: { used: boolean }
}

function toSettings(options: DocumentOptions): Settings {
  const { codecs = defaultCodecs, unknownBody = 'refuse', challenges = ['Bearer'], envelope = 'none' } = options
  const schemes = options.securitySchemes ?? schemesOf(challenges)
  const closed = unknownBody === 'refuse'
  const patches = { used: false }
  const format = options.errorFormat ?? 'problem'
  return {
    classes: new ClassSchemas({ closed, optionalNull: options.optionalNull ?? false }),
    codecs,
    closed,
    bodyStatus: options.bodyStatus ?? 422,
    negotiation: options.negotiation ?? 'strict',
    envelope,
    statusOf: options.statusOf ?? (() => undefined),
    errorFormat: format === 'problem' && envelope === 'urest' ? 'urest' : format,
    security: options.security ?? Object.keys(schemes).map((name): SecurityRequirement => ({ [name]: [] })),
    problems: new Map(),
    patches,
    jsonPatch() {
      patches.used = true
      return { $ref: '#/components/schemas/JsonPatch' }
    },
  }
}

function assemble(
  paths: Record<string, PathItem>,
  unlisted: readonly UnlistedRoute[],
  options: DocumentOptions,
  settings: Settings,
): OpenApiDocument {
  const { schemas, names } = settings.classes.finish(reserved)
  const tags = tagsOf(paths, options.tags ?? {})
  const document: OpenApiDocument = {
    openapi: '3.1.1',
    info: { title: 'API', version: '0.0.0', ...options.info },
    ...(options.servers && { servers: options.servers }),
    ...(tags.length > 0 && { tags }),
    paths,
    components: componentsOf(paths, schemas, options, settings),
    ...(unlisted.length > 0 && { 'x-kumu-unlisted': unlisted }),
  }
  return renamed(document, names) as OpenApiDocument
}

function componentsOf(
  paths: Record<string, PathItem>,
  schemas: Record<string, Schema>,
  options: DocumentOptions,
  { errorFormat, problems, patches }: Settings,
): Components {
  const isProblem = errorFormat === 'problem'
  // A method that a path has not is no operation: its answers stand here for all paths.
  for (const status of [405, 501])
    problems.set(sentStatus(status, errorFormat), status === 405 ? 'MethodNotAllowed' : 'NotImplemented')
  const responses = [...problems].map(([status, name]): [string, ResponseObject] => {
    return [name, problemResponse(status, errorFormat)]
  })
  const securitySchemes = usedSchemes(paths, options)
  return {
    schemas: {
      ...schemas,
      ...(patches.used && { JsonPatch: jsonPatchSchema }),
      ...(isProblem && { Problem: problemSchema, Violation: violationSchema }),
    },
    responses: Object.fromEntries(responses.sort(([left], [right]) => (left < right ? -1 : 1))),
    headers: { ...headerComponents },
    ...(Object.keys(securitySchemes).length > 0 && { securitySchemes }),
  }
}

/** Schemes that a route asks for. */
function usedSchemes(
  paths: Record<string, PathItem>,
  options: DocumentOptions,
): NonNullable<Components['securitySchemes']> {
  const { challenges = ['Bearer'], securitySchemes = schemesOf(challenges) } = options
  const operations = Object.values(paths).flatMap((item) => Object.values(item))
  const used = new Set(operations.flatMap(({ security = [] }) => security.flatMap((each) => Object.keys(each))))
  const missing = [...used].find((name) => !(name in securitySchemes))
  if (missing !== undefined) {
    throw new ConfigurationError(
      'openapi.security',
      `there is no scheme "${missing}"`,
      `Describe it: securitySchemes: { ${missing}: { type: 'http', scheme: 'bearer' } }`,
    )
  }
  return Object.fromEntries(Object.entries(securitySchemes).filter(([name]) => used.has(name)))
}

function tagsOf(
  paths: Record<string, PathItem>,
  said: Readonly<Record<string, string>>,
): Array<{ name: string; description?: string }> {
  const operations = Object.values(paths).flatMap((item) => Object.values(item))
  const names = new Set(operations.flatMap(({ tags = [] }) => tags))
  return [...names].map((name) => ({ name, ...(said[name] !== undefined && { description: said[name] }) }))
}

/** A copy in which references have the names that are known by now. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return names.get(value) ?? value
  if (Array.isArray(value)) return value.map((each) => renamed(each, names))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name, renamed(member, names)]))
}
