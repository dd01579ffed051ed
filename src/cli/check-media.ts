import { parseMediaType } from '../http/media-type'
import { codecOf, isLines, events } from '../route/negotiation'
import type { Codec, RoutePlan, TypePlan } from '../route/plan'
import type { Finding } from './finding'
import type { Route } from './load-app'

/** Media types of `@Produces` and `@Consumes` that can never come about: nobody writes or reads them. */
export function findMediaTypes(routes: readonly Route[]): Finding[] {
  return routes.flatMap(({ plan, router }) => {
    const { codecs } = router.init.settings
    return [...findProduced(plan, codecs), ...findConsumed(plan, codecs)]
  })
}

/** A handler may write text and bytes of any type by itself, but what is declared as a class goes through a codec. */
function findProduced(plan: RoutePlan, codecs: readonly Codec[]): Finding[] {
  const isPlain = returnsPlain(plan)
  return plan.reply.produces
    .filter((type) => !type.includes('*') && type !== events && !isLines(type))
    .filter((type) => !codecOf(codecs, type)?.encode && (isPlain || isStructured(type)))
    .map((type) => ({
      code: 'unreachable-media-type',
      level: isPlain && !type.startsWith('text/') ? 'error' : 'warning',
      where: plan.id,
      what: `it produces ${type}, and no codec writes plain data as that`,
      cure: addCodec(type),
    }))
}

/** A body of a structure needs a codec that makes one. */
function findConsumed(plan: RoutePlan, codecs: readonly Codec[]): Finding[] {
  if (!takesStructure(plan)) return []
  return (plan.body?.consumes ?? [])
    .filter((type) => !type.includes('*') && !type.startsWith('+') && type !== 'multipart/form-data')
    .filter((type) => !decodesStructure(codecOf(codecs, type)))
    .map((type) => ({
      code: 'unreachable-media-type',
      level: 'error',
      where: plan.id,
      what: `it consumes ${type}, and no codec makes of that what its body is declared as`,
      cure: addCodec(type),
    }))
}

function addCodec(type: string): string {
  const { essence } = parseMediaType(type) ?? { essence: type }
  const own = /yaml$/.test(essence) ? 'yaml()' : `{ type: '${essence}', … }`
  return `Add one, createApp({ codecs: [${own}] }), or leave the type out`
}

function returnsPlain({ reply, doc }: RoutePlan): boolean {
  const declared = [reply.type, ...doc.answers.filter(({ status }) => status < 300).map(({ type }) => type)]
  return declared.some((type) => type !== undefined && isStructure(type))
}

function isStructure({ kind, list, class: Class }: TypePlan): boolean {
  if (Class !== undefined && (Class === (Buffer as unknown) || Class.prototype instanceof Uint8Array)) return false
  return list || kind === 'class' || kind === 'schema'
}

/** Whether nobody writes such a type by hand. */
function isStructured(type: string): boolean {
  return /[/+](?:json|xml|yaml|cbor|msgpack)$/.test(type)
}

function takesStructure({ params, body }: RoutePlan): boolean {
  if (!body || body.stream || body.raw === 'only') return false
  return params
    .flatMap((param) => param.members ?? [param])
    .some(({ source, name, type }) => source === 'body' && (name !== undefined || type.list || type.kind === 'class'))
}

/** Texts and bytes are no structure. */
function decodesStructure(codec: Codec | undefined): boolean {
  return codec?.decode !== undefined && codec.type !== 'text/plain' && codec.type !== 'application/octet-stream'
}
