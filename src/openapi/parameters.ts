import type { FilterPlan, PagingPlan, ParamDoc, ParamPlan, RoutePlan } from '../route/plan'
import type { ClassSchemas } from './class-schemas'
import type { PathTemplate } from './paths'
import { scalarSchema, toEnum, toJsonValue } from './schemas'
import { paramSchema, typeSchema } from './type-schemas'
import type { ParameterObject, Schema } from './types'

/** Headers that OpenAPI describes elsewhere: a parameter of their name is ignored (OpenAPI 3.1 §4.8.12.1). */
const elsewhere: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization'])

/**
 * All that a route reads of the request beside its body.
 *
 * @param plan the route
 * @param path one of its paths
 * @param conditional whether the route hears conditions
 */
export function parametersOf(
  plan: RoutePlan,
  path: PathTemplate,
  conditional: boolean,
  classes: ClassSchemas,
): readonly ParameterObject[] {
  const all = [
    ...pathParameters(plan, path, classes),
    ...plan.params.flatMap((param) => param.members ?? [param]).flatMap((param) => argument(param, classes)),
    ...(plan.paging ? pagingParameters(plan.paging, plan) : []),
    ...plan.doc.params.map((param) => documented(param, classes)),
    ...plan.queryNames.map((name): ParameterObject => ({ name, in: 'query', schema: {} })),
    ...(conditional ? conditions(plan) : []),
  ]
  return firstOfEach(all)
}

function firstOfEach(all: readonly ParameterObject[]): ParameterObject[] {
  const seen = new Set<string>()
  return all.filter(({ in: place, name }) => {
    const key = `${place} ${place === 'header' ? name.toLowerCase() : name}`
    return !seen.has(key) && seen.add(key)
  })
}

/** Every name of the template, whether or not anybody reads it. */
function pathParameters(
  { params }: RoutePlan,
  { names, wildcards }: PathTemplate,
  classes: ClassSchemas,
): ParameterObject[] {
  const readers = params.flatMap((param) => param.members ?? [param]).filter(({ source }) => source === 'path')
  return [...names].map(([name, shown]) => {
    const reader = readers.find((param) => param.name === name)
    const text = wildcards.has(name) ? 'The rest of the path: it may hold slashes.' : undefined
    const description = [reader?.description, text].filter(Boolean).join(' ')
    return {
      name: shown,
      in: 'path',
      required: true,
      ...(description !== '' && { description }),
      schema: reader ? paramSchema(reader, classes) : { type: 'string' },
      ...exampleOf(reader),
    }
  })
}

function argument(param: ParamPlan, classes: ClassSchemas): ParameterObject[] {
  const { source, name, required, description, type } = param
  if (source === 'fields') return [fieldsParameter()]
  if (source !== 'query' && source !== 'header' && source !== 'cookie') return []
  if (name === undefined) return wholeQuery(param, classes)
  if (source === 'header' && elsewhere.has(name.toLowerCase())) return []
  return [
    {
      name,
      in: source,
      ...(required && { required }),
      ...(description !== undefined && { description }),
      schema: paramSchema(param, classes),
      // Repeated in a query; a header or cookie has one value.
      ...(type.list && source === 'query' && { style: 'form', explode: true }),
      ...exampleOf(param),
    },
  ]
}

/** A class of a query is a parameter for each of its members. */
function wholeQuery({ type }: ParamPlan, classes: ClassSchemas): ParameterObject[] {
  if (type.kind === 'class' && type.class) {
    return classes
      .membersOf(type.class)
      .map(({ name, schema, required }) => ({ name, in: 'query', ...(required && { required }), schema }))
  }
  const { properties = {}, required = [] } = typeSchema(type, 'input', classes)
  return Object.entries(properties).map(([name, schema]) => {
    return { name, in: 'query', ...(required.includes(name) && { required: true }), schema }
  })
}

function documented({ source, name, description, type, choices }: ParamDoc, classes: ClassSchemas): ParameterObject {
  const schema = type ? typeSchema(type, 'input', classes) : choices ? toEnum(choices) : scalarSchema('string')
  return { name, in: source, ...(description !== undefined && { description }), schema }
}

function exampleOf(param: ParamPlan | undefined): { readonly example?: unknown } {
  return param?.example === undefined ? {} : { example: toJsonValue(param.example) }
}

// --- Paging ---------------------------------------------------------------------------------------------------------------

function fieldsParameter(): ParameterObject {
  return query('fields', { type: 'string' }, 'Members wanted, dotted, with commas between. The others are left out.')
}

function pagingParameters(paging: PagingPlan, { method }: RoutePlan): ParameterObject[] {
  const filters = paging.filter.map(filterParameter)
  if (method !== 'GET') return filters
  const { unit, limit, max, sort, cursor } = paging
  const most = max > limit ? `, at most ${max}` : ''
  return [
    query('offset', { type: 'integer', minimum: 0, default: 0 }, `${unit} before the page.`),
    query('limit', { type: 'integer', minimum: 0, default: limit }, `${unit} of the page${most}.`),
    query(
      'range',
      { type: 'string', pattern: '^([0-9]+-[0-9]*|-[0-9]+)$' },
      'First and last position, instead of offset and limit.',
    ),
    ...(cursor
      ? [
          query(
            'cursor',
            { type: 'string' },
            'The cursor of the page before, instead of an offset; empty for the first page.',
          ),
        ]
      : []),
    fieldsParameter(),
    ...(sort === true || sort.length > 0 ? [sortParameter(sort)] : []),
    ...filters,
    header('Range', `\`${unit}=0-9\`, \`${unit}=10-\` or \`${unit}=-5\`, instead of offset and limit.`),
    header('Prefer', '`count=none`, `count=estimated` or `count=exact`: how much the total is wanted (RFC 7240).'),
  ]
}

function sortParameter(sort: readonly string[] | true): ParameterObject {
  const name =
    sort === true ? '[^,]+' : `(${sort.map((each) => each.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})`
  const names = sort === true ? 'Names' : `Some of ${sort.join(', ')}`
  const text = `${names}, with commas between; a dash before a descending one.`
  return query('sort', { type: 'string', pattern: `^-?${name}(,-?${name})*$` }, text)
}

/** One value, or one of several where the name is repeated. */
function filterParameter({ name, type: { kind } }: FilterPlan): ParameterObject {
  const one: Schema = kind === 'any' || kind === 'class' || kind === 'schema' ? { type: 'string' } : scalarSchema(kind)
  const schema: Schema = { anyOf: [one, { type: 'array', items: one }] }
  return { ...query(name, schema, 'Equals; repeated: is one of.'), style: 'form', explode: true }
}

// --- Conditions -----------------------------------------------------------------------------------------------------------

function conditions({ method, requireMatch }: RoutePlan): ParameterObject[] {
  if (method === 'GET') {
    return [
      header('If-None-Match', 'Entity tags that the client has: 304 where one of them is current (RFC 9110 §13.1.2).'),
      header('If-Modified-Since', 'A date: 304 where nothing has changed since (RFC 9110 §13.1.3).'),
    ]
  }
  const needed = requireMatch ? ' One of the two conditions is needed.' : ''
  return [
    header('If-Match', `The entity tag that the change was made on: 412 where it is another by now.${needed}`),
    header('If-None-Match', '`*`: only where there is nothing yet.'),
  ]
}

function query(name: string, schema: Schema, description: string): ParameterObject {
  return { name, in: 'query', description, schema }
}

function header(name: string, description: string): ParameterObject {
  return { name, in: 'header', description, schema: { type: 'string' } }
}
