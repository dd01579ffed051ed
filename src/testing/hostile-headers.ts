import { attack, marker, type Hostile } from './hostile'
import type { Target } from './target'

type Headers = Readonly<Record<string, string>>

/** Headers that nobody declares, and that everything reads. */
const odd: ReadonlyArray<readonly [input: string, headers: Headers]> = [
  ['an Accept that is none', { accept: 'garbage;;q=x,/,*/*;q=9' }],
  ['an Accept of nobody', { accept: 'x-klingon/bird' }],
  ['an Accept of 2,000 types', { accept: Array.from({ length: 2_000 }, (_, at) => `a/t${at};q=0.1`).join(',') }],
  ['an Accept-Encoding that is none', { 'accept-encoding': ';;,gzip;q=7' }],
  ['a Range without numbers', { range: 'bytes=x-' }],
  ['a Range that is turned round', { range: 'bytes=9-1' }],
  ['a Range beyond all numbers', { range: 'bytes=999999999999999999999-9999999999999999999999' }],
  ['a Range of 2,000 parts', { range: `bytes=${'0-0,'.repeat(2_000)}0-0` }],
  ['a Range without a unit', { range: '=0-1' }],
  ['an If-Match that is none', { 'if-match': '"' }],
  ['an If-None-Match that is none', { 'if-none-match': 'W/"a, *' }],
  ['all conditions at once', { 'if-match': '"a"', 'if-none-match': '*', 'if-range': '"b"', range: 'bytes=0-' }],
  ['dates that are none', { 'if-modified-since': 'yesterday', 'if-unmodified-since': '-1', 'if-range': 'Foo, 99' }],
  ['an If-Match of 5,000 tags', { 'if-match': Array.from({ length: 5_000 }, (_, at) => `"${at}"`).join(',') }],
  ['a Prefer that is none', { prefer: ';;=,return=,count="' }],
  ['an Idempotency-Key without end', { 'idempotency-key': 'k'.repeat(5_000) }],
  ['a Last-Event-ID of nobody', { 'last-event-id': `-1${marker}` }],
  ['cookies that are none', { cookie: '=;;;__proto__=1; a=%zz; constructor=1' }],
  ['another method by a header', { 'x-http-method-override': 'DELETE' }],
  ['a proxy of nobody', { 'x-forwarded-for': '\'"<x>', 'x-forwarded-host': 'evil@example.org', forwarded: 'for=;;' }],
  ['a traceparent that is none', { traceparent: '00-zz-zz-zz' }],
]

const credentials: readonly string[] = [
  'Bearer',
  'Bearer a.b.c',
  'Basic !!!',
  'Basic Og==',
  `Digest ${marker}`,
  'Bearer ' + 'x'.repeat(5_000),
]

/** Headers that are wrong, contradict each other, or say who somebody is not. */
export function hostileHeaders(target: Target): Hostile[] {
  const { access, paging } = target.plan
  const unit = paging?.unit
  const ranges = unit === undefined ? [] : ['5-1', 'x', '-', '999999999999999999999-', '0-1,3-4']
  const hosts = ['evil.example@good.example', 'a/b', 'a b', 'a?b']
  return [
    ...odd.map(([input, headers]) => attack(target, input, { headers })),
    ...ranges.map((range) => attack(target, `Range: ${unit}=${range}`, { headers: { range: `${unit}=${range}` } })),
    ...hosts.map((host) => attack(target, `Host: ${host}`, { headers: { host }, refused: true })),
    ...(access ? [attack(target, 'no credentials', { anonymous: true, refused: true })] : []),
    ...credentials.map((authorization) =>
      attack(target, `Authorization: ${authorization.slice(0, 40)}`, {
        headers: { authorization },
        anonymous: true,
        refused: access !== undefined,
      }),
    ),
  ]
}

/** Methods that the path does not have, and those that come with every path. */
export function hostileMethods(target: Target, taken: ReadonlySet<string>): Hostile[] {
  const others = ['POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !taken.has(method))
  return [
    ...others.map((method) => attack(target, `the method ${method}`, { method, refused: true })),
    attack(target, 'a method of nobody', { method: 'KUMU', refused: true }),
    attack(target, 'TRACE', { method: 'TRACE', refused: true }),
    attack(target, 'OPTIONS', { method: 'OPTIONS' }),
    ...(taken.has('GET') ? [attack(target, 'HEAD', { method: 'HEAD' })] : []),
  ]
}
