import { attack, marker, pollution, type Attack, type Hostile } from './hostile'
import type { JsonType } from './sample'
import type { BodyTarget, Target } from './target'

/** Values of each type of JSON, as text: some are none that `JSON.stringify` writes. */
const wrong: Readonly<Record<JsonType, readonly string[]>> = {
  object: [`{"${marker}":1}`, '{"toString":1,"valueOf":1}'],
  array: ['[]', '[null]', '[[[]]]'],
  string: [`"${marker}"`, '""', '"\\u0000\\ud800"'],
  number: ['1e308', '-0', '9007199254740993', '1e999'],
  fraction: ['1.5', '1e-9'],
  boolean: ['true'],
  null: ['null'],
}

/** Bodies that are no JSON, or not that of the route. */
export function hostileBodies(target: Target): Hostile[] {
  const { plan, body } = target
  if (!plan.body) return [attack(target, 'a body where none is taken', { body: `{"a":"${marker}"}` })]
  const to = (input: string, change: Attack): Hostile => attack(target, input, change)
  return [...otherTypes(to, target), ...(body ? [...brokenJson(to, body), ...wrongValues(to, body), ...large(to)] : [])]
}

type To = (input: string, change: Attack) => Hostile

function brokenJson(to: To, { valid }: BodyTarget): Hostile[] {
  const broken = [
    '{',
    '{"a":',
    "{'a':1}",
    '[1,]',
    'nul',
    '\u0000',
    'undefined',
    `{"a":"${marker}`,
    '{"a":1}}',
    '1e',
    'NaN',
  ]
  return [
    ...broken.map((body) => to(`broken JSON ${JSON.stringify(body)}`, { body, refused: true })),
    to('a value that no error should repeat', { body: `{"kumuUnknown":"${marker}"}` }),
    to('JSON that is no UTF-8', { body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) }),
    to('JSON in a charset of nobody', {
      body: JSON.stringify(valid),
      headers: { 'content-type': 'application/json; charset=x-klingon' },
      refused: true,
    }),
    to('JSON in a coding of nobody', { headers: { 'content-encoding': 'x-klingon' }, refused: true }),
    to('JSON that is said to be gzip', { headers: { 'content-encoding': 'gzip' }, refused: true }),
  ]
}

function wrongValues(to: To, { valid, members, refuses, closed }: BodyTarget): Hostile[] {
  const whole = refuses.flatMap((type) => wrong[type].map((body) => to(`${body} as a body`, { body, refused: true })))
  if (typeof valid !== 'object' || valid === null || Array.isArray(valid)) return whole
  const withMember = (name: string, text: string): string => {
    const others = Object.entries(valid).filter(([known]) => known !== name)
    const pairs = others.map(([known, value]) => `${JSON.stringify(known)}:${JSON.stringify(value)}`)
    return `{${[...pairs, `${JSON.stringify(name)}:${text}`].join(',')}}`
  }
  const each = members
    .slice(0, 20)
    .flatMap(({ name, refuses: types }) =>
      types.flatMap((type) =>
        wrong[type].map((text) => to(`${text} as ${name}`, { body: withMember(name, text), refused: true })),
      ),
    )
  const polluted = `{"${pollution}":true}`
  return [
    ...whole,
    ...each,
    to('an unknown member', { body: withMember('kumuUnknown', '1'), refused: closed }),
    to('a member __proto__', { body: withMember('__proto__', polluted), refused: closed }),
    to('a member constructor', { body: withMember('constructor', `{"prototype":${polluted}}`), refused: closed }),
    to('members that are methods', { body: withMember('hasOwnProperty', '1'), refused: closed }),
    to('a member twice', { body: `{"kumuTwice":1,${withMember('kumuTwice', '2').slice(1)}`, refused: closed }),
  ]
}

function large(to: To): Hostile[] {
  const deep = 5_000
  return [
    to('objects, 5,000 deep', { body: '{"a":'.repeat(deep) + '1' + '}'.repeat(deep), refused: true }),
    to('lists, 5,000 deep', { body: '['.repeat(deep) + ']'.repeat(deep), refused: true }),
    to('20,000 members', { body: `{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":1`).join(',')}}` }),
    to('a list of 100,000', { body: `[${'0,'.repeat(99_999)}0]` }),
    to('a text of 900 KB', { body: JSON.stringify({ a: 'x'.repeat(900_000) }) }),
    to('a number of 100,000 digits', { body: `{"a":${'9'.repeat(100_000)}}` }),
  ]
}

const xml = { 'content-type': 'application/xml' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const multipart = { 'content-type': 'multipart/form-data; boundary=XyZ' }
const part = (name: string, content: string): string =>
  `--XyZ\r\nContent-Disposition: form-data; name="${name}"; filename="../../../../etc/passwd"\r\n\r\n${content}\r\n`

function otherTypes(to: To, { plan }: Target): Hostile[] {
  const { consumes = [], required = false, raw = 'no', stream = false } = plan.body ?? {}
  const takesAll = consumes.length === 0 || consumes.includes('*/*') || raw !== 'no' || stream
  const bomb = Array.from({ length: 9 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`).join('')
  const entity = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
  const patch = [{ op: 'add', path: `/__proto__/${pollution}`, value: true }]
  const types = ['', 'text', 'text/', 'a/b/c', 'application/json;;;', 'application/json; charset="', ';', marker]
  const deep = 5_000
  return [
    to('an empty body', { body: '', refused: required && !stream }),
    to('a media type of nobody', { body: 'x', headers: { 'content-type': 'x-klingon/bird' }, refused: !takesAll }),
    ...types.map((type) =>
      to(`the media type ${JSON.stringify(type)}`, { headers: { 'content-type': type }, body: '{}' }),
    ),
    to('XML with entities that grow', {
      body: `<!DOCTYPE r [<!ENTITY e0 "x">${bomb}]><r>&e9;</r>`,
      headers: xml,
      refused: !takesAll,
    }),
    to('XML with an entity that is a file', { body: entity, headers: xml, refused: !takesAll }),
    to('XML, 5,000 deep', { body: '<a>'.repeat(deep) + '</a>'.repeat(deep), headers: xml, refused: !takesAll }),
    to('XML that does not end', { body: '<r><a>', headers: xml, refused: !takesAll }),
    to('XML with a member __proto__', {
      body: `<r><__proto__><${pollution}>1</${pollution}></__proto__></r>`,
      headers: xml,
    }),
    to('a form with __proto__', { body: `__proto__[${pollution}]=1&__proto__.${pollution}=1`, headers: form }),
    to('a form with constructor', { body: `constructor[prototype][${pollution}]=1`, headers: form }),
    to('a form with a broken escape', { body: 'a=%zz&%=%', headers: form }),
    to('a form of 5,000 members', { body: 'a=1&'.repeat(5_000), headers: form }),
    to('multipart without a boundary', {
      body: 'x',
      headers: { 'content-type': 'multipart/form-data' },
      refused: !takesAll,
    }),
    to('multipart that does not end', { body: part('file', 'x'), headers: multipart, refused: !takesAll }),
    to('multipart of 500 parts', {
      body: `${part('a', 'x').repeat(500)}--XyZ--\r\n`,
      headers: multipart,
      refused: !takesAll,
    }),
    to('a file with a path for a name', { body: `${part('file', 'x')}--XyZ--\r\n`, headers: multipart }),
    to('a JSON patch of __proto__', {
      body: JSON.stringify(patch),
      headers: { 'content-type': 'application/json-patch+json' },
      refused: !takesAll,
    }),
    to('a merge patch of __proto__', {
      body: `{"__proto__":{"${pollution}":true},"constructor":{"prototype":{"${pollution}":true}}}`,
      headers: { 'content-type': 'application/merge-patch+json' },
    }),
  ]
}
