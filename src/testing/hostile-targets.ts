import type { ParamPlan } from '../route/plan'
import { attack, marker, type Hostile } from './hostile'
import { joinSegments, type Target } from './target'

/** Segments that a path parameter is made of, as they stand in the path. */
const segments: readonly string[] = [
  '..%2f..%2f..%2fetc%2fpasswd',
  '%2e%2e',
  '..%5c..%5cwindows',
  '%00',
  'a%00b',
  '%0d%0aset-cookie:%20kumu5f1cHostile=1',
  '%f0%9f%98%80',
  '%ed%a0%80',
  '__proto__',
  'constructor',
  'toString',
  '%20',
  "'%20or%201=1--",
  '%7b%7b7*7%7d%7d',
  'x'.repeat(5_000),
  '-1',
  '999999999999999999999',
]
const brokenEscapes: readonly string[] = ['%', '%zz', '%c0%af', '%e0%80']
const noNumbers: readonly string[] = ['abc', 'NaN', 'Infinity', '0x10', '1e999', '1,5', '٣', '%20', '--1', '1_000']

/** Paths and queries that no client of good will sends. */
export function hostileTargets(target: Target): Hostile[] {
  return [attack(target, 'a plain request'), ...paths(target), ...queries(target), ...pages(target)]
}

function paths(target: Target): Hostile[] {
  const { plan, segments: own } = target
  const at = own.findIndex(({ param }) => param !== undefined)
  const put = (text: string, index: number): string => {
    return joinSegments(own.map((segment, each) => (each === index ? text : segment.text)))
  }
  const broken = brokenEscapes.map((text) =>
    attack(target, `the path with ${text}`, { path: put(text, Math.max(at, 0)), refused: true }),
  )
  if (at < 0) return own.length === 0 ? [] : broken
  const name = own[at]!.param!
  const declared = plan.params.find((param) => param.source === 'path' && param.name === name)
  const wrong = declared && isNumber(declared) ? noNumbers : []
  return [
    ...broken,
    ...segments.map((text) => attack(target, `${name} is ${shorten(text)}`, { path: put(text, at) })),
    ...wrong.map((text) =>
      attack(target, `${name} is ${text}`, {
        path: put(encodeURIComponent(decodeURIComponent(text)), at),
        refused: true,
      }),
    ),
  ]
}

function queries(target: Target): Hostile[] {
  const { plan, query } = target
  const declared = plan.params.filter(({ source, name }) => source === 'query' && name !== undefined)
  const known = declared.length > 0 || plan.paging !== undefined || plan.queryNames.length > 0
  const strict = known && plan.unknownQuery === 'refuse' && !plan.params.some(isOpenQuery)
  const to = (input: string, text: string, refused = false): Hostile => attack(target, input, { query: text, refused })
  return [
    to('an unknown query parameter', `kumuUnknown=${marker}`, strict),
    to('__proto__ in the query', `__proto__=${marker}&__proto__[kumu5f1cPolluted]=1`, strict),
    to('constructor in the query', 'constructor[prototype][kumu5f1cPolluted]=1', strict),
    to('a broken escape in the query', '%zz=%zz&%'),
    to('nothing but separators', '&&&=&==&;'),
    to('5,000 parameters', Array.from({ length: 5_000 }, (_, at) => `k${at}=1`).join('&'), strict),
    to('a header in the query', `x=%0d%0aset-cookie:%20${marker}=1`, strict),
    ...declared.flatMap((param) => {
      const name = encodeURIComponent(param.name!)
      const others = { ...target, query: query.filter((pair) => !pair.startsWith(`${name}=`)) }
      const wrong = isNumber(param) ? noNumbers : []
      return [
        ...wrong.map((text) =>
          attack(others, `${name}=${text}`, { query: `${name}=${encodeURI(text)}`, refused: true }),
        ),
        attack(others, `${name} twice`, { query: `${name}=1&${name}=2`, refused: isScalar(param) }),
        attack(others, `${name} is empty`, { query: `${name}=`, refused: isNumber(param) }),
      ]
    }),
  ]
}

function pages(target: Target): Hostile[] {
  const { paging, params } = target.plan
  if (!paging) return []
  // A handler that is given the page may have cursors of its own, and take any text for one.
  const isRead = !params.some(({ source }) => source === 'page')
  const broken = [
    'limit=x',
    'limit=-1',
    'limit=1e999',
    'limit=',
    'offset=-1',
    'offset=1.5',
    'offset=0x10',
    'range=5-1',
    'range=x',
  ]
  const twice = ['limit=1&limit=2', 'limit=1&range=0-1', 'range=0-1,5-6', `sort=__proto__,${marker}`]
  const all = [...broken, ...twice.slice(0, 3), ...(paging.sort === true ? [] : twice.slice(3))]
  const open = [
    'fields=__proto__,constructor.prototype',
    `fields=${'a.'.repeat(2_000)}a`,
    `fields=${'a,'.repeat(5_000)}a`,
  ]
  const cursors = paging.cursor ? [`cursor=${marker}`, 'cursor=e30', 'cursor=%00', `cursor=${'A'.repeat(10_000)}`] : []
  return [
    ...all.map((query) => attack(target, shorten(query), { query, refused: true })),
    ...open.map((query) => attack(target, shorten(query), { query })),
    ...cursors.map((query) => attack(target, shorten(query), { query, refused: isRead })),
  ]
}

function isNumber({ type, convert, pipes }: ParamPlan): boolean {
  return (type.kind === 'number' || type.kind === 'integer') && !type.list && !convert && !pipes
}

function isScalar({ type, convert, pipes }: ParamPlan): boolean {
  return !type.list && !convert && !pipes && type.kind !== 'any' && type.kind !== 'schema' && type.kind !== 'class'
}

/** A parameter that takes the whole query, without a class that says what may be in it. */
function isOpenQuery({ source, name, type }: ParamPlan): boolean {
  return source === 'query' && name === undefined && type.kind !== 'class'
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 40)}… (${text.length} characters)` : text
}
