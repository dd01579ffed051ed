import { createHash } from 'node:crypto'
import { NotAcceptable, NotImplemented } from '../errors'
import { negotiate } from '../http/accept'
import { yaml } from '../route/codecs/yaml'
import { definePlan, type Context, type RoutePlan } from '../route/plan'
import { Reply, Tagged } from '../route/replies'
import { buildDocument, type BuiltDocument } from './document'
import { pagePlans } from './page'
import { partOf } from './part'
import { createTypings, TypingsUnavailable } from './typings'
import type { DocumentInfo, DocumentSettings, OpenApiDocument } from './types'

/** The `openapi` option of an application. */
export interface OpenApiOptions extends DocumentInfo {
  /** Where the document is served; its typings stand beside it, under `.d.ts`. Default `/openapi.json`. */
  readonly path?: string
  /** Where its page is served; `false`: none. Default `/docs`. */
  readonly ui?: string | false
}

/** What an application gives: asked for at the first request, for its plans are complete then. */
export interface DocumentSource {
  readonly plans: readonly RoutePlan[]
  readonly settings: DocumentSettings
}

/** The interface of an application, as it is served. */
export interface ServedDocument {
  /** The routes of the document, its typings and its page. */
  readonly plans: readonly RoutePlan[]
  /** The whole document. */
  document(): OpenApiDocument
  /** What an answer to OPTIONS says of these routes; nothing where the client does not ask for it. */
  partFor(ctx: Context, plans: Iterable<RoutePlan>): OpenApiDocument | undefined
}

const json = 'application/json'
const yamlType = 'application/yaml'
const offered = [
  json,
  yamlType,
  'application/openapi+json',
  'application/openapi+yaml',
  'text/yaml',
  'application/x-yaml',
]

/**
 * Serves the document of an application, made at the first request: plans are frozen, so it is never another one.
 *
 * @param options paths, title and version
 * @param source the application
 * @throws ConfigurationError where the page's package is not installed
 */
export function serveDocument(options: OpenApiOptions, source: () => DocumentSource): ServedDocument {
  const { path = '/openapi.json', ui = '/docs', info } = options
  let built: BuiltDocument | undefined
  let typings: Promise<Reply> | undefined
  const texts = new Map<string, Reply>()

  function build(): BuiltDocument {
    if (built) return built
    const { plans, settings } = source()
    return (built = buildDocument(plans, { ...settings, ...options }))
  }

  function document(ctx: Context): Reply {
    const wished = negotiate(ctx.req.headers.accept, offered)
    if (wished === undefined) {
      throw new NotAcceptable(`The document can be had as ${json} and ${yamlType}`, { code: 'not-acceptable' })
    }
    const known = texts.get(wished)
    if (known) return known
    const text = wished.endsWith('json') ? JSON.stringify(build().document) : toYaml(build().document)
    const reply = replyOf(text, wished.startsWith('text/') ? `${wished}; charset=utf-8` : wished)
    texts.set(wished, reply)
    return reply
  }

  async function declarations(): Promise<Reply> {
    typings ??= createTypings(build().document).then((text) => replyOf(text, 'text/plain; charset=utf-8'))
    try {
      return await typings
    } catch (error) {
      typings = undefined
      if (!(error instanceof TypingsUnavailable)) throw error
      throw new NotImplemented(error.message, { code: 'unsupported', cause: error })
    }
  }

  const plan = (id: string, at: string, call: (ctx: Context) => unknown): RoutePlan =>
    definePlan({
      id: `openapi.${id}`,
      method: 'GET',
      path: at,
      params: [{ source: 'context' }],
      reply: { produces: ['*/*'] },
      call: call as RoutePlan['call'],
      doc: { hidden: true, tags: ['openapi'] },
    })
  const page = ui === false ? [] : pagePlans(ui, path, info?.title ?? 'API')
  return {
    plans: [plan('document', path, document), plan('typings', typingsPath(path), declarations), ...page],
    document: () => build().document,
    partFor(ctx, plans) {
      const { accept } = ctx.req.headers
      // `*/*` asks for nothing: OPTIONS is answered without a body then, as everywhere.
      if (accept === undefined || !/json/i.test(accept)) return undefined
      if (!negotiate(accept, [json, 'application/openapi+json'])) return undefined
      return partOf(build(), plans)
    },
  }
}

/** `/openapi.json` to `/openapi.d.ts`. */
function typingsPath(path: string): string {
  return `${path.replace(/\.[^./]*$/, '')}.d.ts`
}

/** A text with an entity tag of its own: other media types are other bytes. */
function replyOf(text: string, type: string): Reply {
  const bytes = Buffer.from(text)
  const rev = createHash('sha256').update(type).update(bytes).digest('base64url').slice(0, 22)
  const headers = {
    'Content-Type': type,
    'Cache-Control': 'no-cache',
    Vary: 'Accept',
    'X-Content-Type-Options': 'nosniff',
  }
  return new Reply(200, new Tagged(bytes, rev), headers)
}

function toYaml(document: OpenApiDocument): string {
  try {
    return String(yaml().encode?.(document))
  } catch (cause) {
    throw new NotAcceptable('YAML needs the package yaml', { code: 'not-acceptable', cause })
  }
}
