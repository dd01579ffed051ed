import type { BodyPlan, ParamPlan, RoutePlan } from '../route/plan'
import { isLines } from '../route/negotiation'
import type { ClassSchemas } from './class-schemas'
import type { Content, MediaTypeObject, RequestBodyObject, Schema } from './types'
import { paramSchema } from './type-schemas'

const mergePatch = 'application/merge-patch+json'
const jsonPatch = 'application/json-patch+json'

/** What request bodies need beside the plan. */
export interface BodySettings {
  readonly classes: ClassSchemas
  readonly closed: boolean
  /** A reference to the schema of RFC 6902. */
  readonly jsonPatch: () => Schema
}

/** The body of a route, a schema for each media type. */
export function requestBodyOf(plan: RoutePlan, settings: BodySettings): RequestBodyObject | undefined {
  const { body } = plan
  if (!body) return undefined
  const params = plan.params.flatMap((param) => param.members ?? [param])
  const types = body.consumes.filter((type) => !type.startsWith('+'))
  const content: Content = {}
  for (const type of types.length > 0 ? types : ['*/*']) content[type] = mediaType(type, plan, body, params, settings)
  return { required: body.required, content }
}

function mediaType(
  type: string,
  plan: RoutePlan,
  body: BodyPlan,
  params: readonly ParamPlan[],
  settings: BodySettings,
): MediaTypeObject {
  if (body.stream || body.raw === 'only') return { schema: {} }
  if (type === jsonPatch) return { schema: settings.jsonPatch() }
  if (type === mergePatch) return { schema: patchSchema(plan, settings) }
  if (isLines(type)) return { schema: { type: 'string' } }
  const whole = params.find(({ source, name }) => source === 'body' && name === undefined)
  if (!whole) return { schema: objectOf(params, settings) }
  const { key } = plan.doc
  const { class: Class, list } = whole.type
  const keyed = key?.sent && Class && !list
  const schema = keyed ? settings.classes.refTo(Class, 'input', keyOf(key.name)) : paramSchema(whole, settings.classes)
  return { schema, ...(whole.example !== undefined && { example: whole.example }) }
}

function keyOf(name: string): { name: string; schema: Schema; required: boolean } {
  return { name, schema: { type: 'string' }, required: false }
}

/** A document with some of its members, as far as the class is known that the result is held to. */
function patchSchema({ params, doc: { key } }: RoutePlan, { classes }: BodySettings): Schema {
  const Class = params.find(({ source }) => source === 'validator')?.type.class
  if (!Class) return { type: 'object' }
  return classes.refTo(Class, 'patch', key?.sent ? keyOf(key.name) : undefined)
}

/** Values that are bound by their names, and files. */
function objectOf(params: readonly ParamPlan[], { classes, closed }: BodySettings): Schema {
  const bound = params.filter(({ source, name }) => name !== undefined && /^(body|files?)$/.test(source))
  const required = bound.filter((param) => param.required).map(({ name = '' }) => name)
  const properties = bound.map((param): [string, Schema] => {
    const described = param.description === undefined ? {} : { description: param.description }
    return [param.name ?? '', { ...valueSchema(param, classes), ...described }]
  })
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    ...(closed && { additionalProperties: false }),
  }
}

/** Bytes of a part; `format` is for readers of OpenAPI 3.0. */
const file: Schema = { type: 'string', format: 'binary', contentMediaType: 'application/octet-stream' }

function valueSchema(param: ParamPlan, classes: ClassSchemas): Schema {
  if (param.source === 'file') return file
  if (param.source !== 'files') return paramSchema(param, classes)
  const { min, max } = param
  return {
    type: 'array',
    items: file,
    ...(min !== undefined && { minItems: min }),
    ...(max !== undefined && { maxItems: max }),
  }
}

/** The schema of a JSON Patch (RFC 6902). */
export const jsonPatchSchema: Schema = {
  type: 'array',
  description: 'Operations in their order (RFC 6902).',
  items: {
    type: 'object',
    properties: {
      op: { type: 'string', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] },
      path: { type: 'string', description: 'A JSON Pointer (RFC 6901).' },
      from: { type: 'string', description: 'A JSON Pointer, of move and copy.' },
      value: { description: 'Of add, replace and test.' },
    },
    required: ['op', 'path'],
  },
}
