import { NotAcceptable } from '../errors'
import { negotiate } from '../http/accept'
import { json } from './codecs/json'
import type { Codec } from './plan'

/** A media type on offer with the codec that encodes it. */
export interface Offer {
  /** The value of `Content-Type`. */
  readonly contentType: string
  readonly type: string
  readonly encode: (value: unknown) => string | Uint8Array
  /** Whether it is Kumu's own JSON, which is written without the plain data between. */
  readonly isJson?: boolean
}

/** Chooses among offers by `Accept`: `undefined` where none is acceptable. */
export type Choose = (accept: string | undefined) => Offer | undefined

/** Headers whose choice is remembered: browsers and clients send few different ones. */
const remembered = 64

const textual = /^text\/|^application\/(json|xml|yaml)$|\+(json|xml|yaml)$/

/** The codec of a media type: by its name, by another of its names, by its structured suffix. */
export function codecOf(codecs: readonly Codec[], type: string): Codec | undefined {
  const plus = type.lastIndexOf('+')
  const suffix = plus < 0 ? undefined : type.slice(plus)
  return (
    codecs.find((codec) => codec.type === type) ??
    codecs.find((codec) => codec.also?.includes(type)) ??
    (suffix === undefined ? undefined : codecs.find((codec) => codec.also?.includes(suffix)))
  )
}

/** `text/html` to `text/html; charset=utf-8`: what is text says so. */
export function withCharset(type: string): string {
  return textual.test(type) ? `${type}; charset=utf-8` : type
}

/** What a route can offer for plain data: its declared types, else all that the codecs encode, in their order. */
export function createOffers(produces: readonly string[], codecs: readonly Codec[]): Offer[] {
  const types = produces.length > 0 ? produces : codecs.flatMap((codec) => [codec.type, ...ownNames(codec)])
  const mains = new Set(codecs.map((codec) => codec.type))
  const ordered = produces.length > 0 ? types : [...types].sort((a, b) => Number(mains.has(b)) - Number(mains.has(a)))
  return ordered.flatMap((type) => {
    const codec = codecOf(codecs, type)
    if (!codec?.encode) return []
    return [{ type, contentType: withCharset(type), encode: codec.encode.bind(codec), isJson: codec === json }]
  })
}

function ownNames(codec: Codec): string[] {
  return (codec.also ?? []).filter((name) => !name.startsWith('+'))
}

/** A choice among offers that asks each `Accept` header only once. */
export function createChoose(offers: readonly Offer[]): Choose {
  const types = offers.map((offer) => offer.type)
  const first = offers[0]
  const known = new Map<string, Offer | undefined>()
  return (accept) => {
    if (accept === undefined || accept === '*/*' || accept === first?.type) return first
    const remember = known.get(accept)
    if (remember !== undefined || known.has(accept)) return remember
    const type = negotiate(accept, types)
    const offer = type === undefined ? undefined : offers[types.indexOf(type)]
    if (known.size >= remembered) known.clear()
    if (accept.length <= 512) known.set(accept, offer)
    return offer
  }
}

/** Whether a type that is settled already is acceptable. */
export function isAcceptable(accept: string | undefined, contentType: string): boolean {
  if (accept === undefined || accept === '*/*') return true
  const [essence = ''] = contentType.split(';', 1)
  return negotiate(accept, [essence.trim()]) !== undefined
}

/** The 406 that says what can be had. */
export function notAcceptable(offered: string): NotAcceptable {
  return new NotAcceptable(`This can be had as ${offered}`, { code: 'not-acceptable', headers: { Vary: 'Accept' } })
}

/**
 * Refuses a request none of whose acceptable types a route could ever give, before anything happens.
 *
 * @throws NotAcceptable with the types on offer
 */
export function createAcceptGuard(types: readonly string[]): (accept: string | undefined) => void {
  const choose = createChoose(types.map((type) => ({ type, contentType: type, encode: String })))
  const offered = types.join(', ')
  return (accept) => {
    if (accept === undefined || accept === '*/*') return
    if (!choose(accept)) throw notAcceptable(offered)
  }
}

// --- What a route has on offer ---------------------------------------------------------------------------------------------

/** Types that are not for plain data: texts, bytes, forms and streams are chosen by what the handler returns. */
export const notPlain: ReadonlySet<string> = new Set([
  'text/plain',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
])

/** The media type of server-sent events. */
export const events = 'text/event-stream'

const lines = 'application/x-ndjson'

/** Whether a media type is a value a line. */
export function isLines(type: string): boolean {
  return type === lines || type === 'application/ndjson' || type === 'application/jsonl'
}

/** What can be chosen among, by the kind of what a handler returns. */
export interface Menu {
  /** For plain data, in order of preference. */
  readonly structured: readonly Offer[]
  readonly choosePlain: Choose
  /** For lists, which can be lines as well. */
  readonly chooseList: Choose
  /** For streams of values. */
  readonly chooseStream: Choose
  readonly streamTypes: readonly string[]
  /** What a text is sent as. */
  readonly textType: string
  /** Whether a text is sent as it stands, and not as a value. */
  readonly textual: boolean
  /** Refuses who accepts nothing of it. */
  readonly guard: (accept: string | undefined) => void
}

const menus = new WeakMap<readonly Codec[], Map<string, Menu>>()

/** The menu of a route; routes that declare the same types share one. */
export function menuOf(produces: readonly string[], codecs: readonly Codec[]): Menu {
  const key = produces.join()
  const known = menus.get(codecs) ?? new Map<string, Menu>()
  menus.set(codecs, known)
  const shared = known.get(key)
  if (shared) return shared
  const menu = createMenu(produces, codecs)
  known.set(key, menu)
  return menu
}

function createMenu(produces: readonly string[], codecs: readonly Codec[]): Menu {
  const all = createOffers(produces, codecs)
  const declared = produces.length > 0
  const structured = declared ? all : all.filter(({ type }) => !notPlain.has(type) && !isLines(type))
  const choosePlain = createChoose(structured)
  const streamTypes = declared ? produces : [lines, events]
  const textType = produces[0] ?? 'text/plain'
  const types = declared ? produces : [...all.map(({ type }) => type), 'text/plain', 'application/octet-stream', events]
  return {
    structured,
    choosePlain,
    chooseList: declared ? choosePlain : createChoose([...structured, ...all.filter(({ type }) => isLines(type))]),
    chooseStream: createChoose(streamTypes.map((type) => ({ type, contentType: type, encode: String }))),
    streamTypes,
    textType,
    textual: !declared || !structured.some(({ type }) => type === textType && /json|xml|yaml/.test(type)),
    guard: createAcceptGuard([...new Set(types)]),
  }
}
