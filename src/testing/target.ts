import type { App } from '../app'
import { findOperation, readOperations, resolve, type Json } from '../client/contract-paths'
import type { ParamPlan, RoutePlan } from '../route/plan'
import { sample, takesType, type JsonType } from './sample'

/** A route as hostile requests are made for it: with values that it takes, for all places but the one under attack. */
export interface Target {
  readonly plan: RoutePlan
  /** `GET /fruits/:name`. */
  readonly name: string
  /** Segments of the path; those of parameters by their names. */
  readonly segments: ReadonlyArray<{ readonly text: string; readonly param?: string }>
  /** Query parameters that the route needs. */
  readonly query: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  /** Its JSON body, where it takes one. */
  readonly body?: BodyTarget
}

/** What is known of a JSON body. */
export interface BodyTarget {
  readonly type: string
  readonly valid: unknown
  /** Members that an object may have, each with the types of JSON that it refuses. */
  readonly members: ReadonlyArray<{ readonly name: string; readonly refuses: readonly JsonType[] }>
  /** Types of JSON that the whole refuses. */
  readonly refuses: readonly JsonType[]
  /** Whether members that nobody declared are refused. */
  readonly closed: boolean
}

const jsonTypes: readonly JsonType[] = ['object', 'array', 'string', 'number', 'fraction', 'boolean', 'null']

/**
 * Every route of an application as a target.
 *
 * @param values by the names of path parameters
 */
export function toTargets(app: App, values: Readonly<Record<string, string>>): Target[] {
  const document = app.document() as unknown as Json
  const operations = readOperations(document)
  const { prefix = '' } = app.router.opts
  return app.plans.flatMap((plan) => {
    if (typeof plan.path !== 'string') return []
    const segments = toSegments(prefix + plan.path, plan, values)
    const operation = findOperation(operations, plan.method, joinSegments(segments.map(({ text }) => text)))
    const body = operation && toBody(document, `${operation.pointer}/requestBody`, plan)
    const needed = plan.params.filter(({ required, name }) => required && name !== undefined)
    return [
      {
        plan,
        name: `${plan.method} ${prefix}${plan.path}`,
        segments,
        query: needed
          .filter(({ source }) => source === 'query')
          .map((param) => `${encodeURIComponent(param.name!)}=${encodeURIComponent(valueOf(param))}`),
        headers: Object.fromEntries(
          needed
            .filter(({ source }) => source === 'header')
            .map((param) => [param.name!.toLowerCase(), valueOf(param)]),
        ),
        body,
      },
    ]
  })
}

/** Segments, written as they are, as a path. */
export function joinSegments(segments: readonly string[]): string {
  return `/${segments.join('/')}`
}

function toSegments(path: string, plan: RoutePlan, values: Readonly<Record<string, string>>): Target['segments'] {
  const plain = path.replace(/[{}]/g, '')
  return plain
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      const param = /[:*](\w+)/.exec(part)?.[1]
      if (param === undefined) return { text: part }
      const declared = plan.params.find(({ source, name }) => source === 'path' && name === param)
      const value = values[param] ?? (declared ? valueOf(declared) : 'a')
      return { text: part.replace(/[:*]\w+/, encodeURIComponent(value)), param }
    })
}

/** A text that a parameter takes. */
function valueOf({ type, example, choices, min }: ParamPlan): string {
  const known = example ?? choices?.find((choice) => !(choice instanceof RegExp))
  if (typeof known === 'string' || typeof known === 'number' || typeof known === 'boolean') return String(known)
  if (type.kind === 'number' || type.kind === 'integer') return String(Math.ceil(min ?? 1))
  if (type.kind === 'boolean') return 'true'
  return type.kind === 'date' ? '2024-02-29T12:00:00Z' : 'a'.repeat(Math.max(1, min ?? 1))
}

function toBody(document: Json, pointer: string, { body }: RoutePlan): BodyTarget | undefined {
  if (!body || body.stream || body.raw === 'only') return undefined
  const [request] = resolve(document, { $ref: `#${encodeURI(pointer)}` }, '')
  const content = (request['content'] ?? {}) as Readonly<Record<string, Json>>
  const found = Object.entries(content).find(([type]) => /^application\/(?:[\w.-]+\+)?json$/.test(type))
  if (!found) return undefined
  const [type, { schema }] = found
  const [own] = resolve(document, schema ?? {}, '')
  const refusals = (part: unknown): JsonType[] => jsonTypes.filter((each) => !takesType(document, part, each))
  const members = Object.entries((own['properties'] ?? {}) as Json)
  return {
    type,
    valid: sample(document, schema),
    members: members.map(([name, part]) => ({ name, refuses: refusals(part) })),
    refuses: refusals(own),
    closed: own['additionalProperties'] === false,
  }
}
