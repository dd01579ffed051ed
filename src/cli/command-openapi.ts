import { createDocument } from '../openapi/document'
import type { OpenApiDocument } from '../openapi/types'
import { yaml } from '../route/codecs/yaml'
import type { Command } from './command'
import { loadApp, type Service } from './load-app'
import { give, outFlag } from './output'

/** `kumu openapi APP`: the document that the application serves, or would serve. */
export const openapi: Command = {
  name: 'openapi',
  summary: 'Print the OpenAPI 3.1 document',
  operands: ['APP'],
  flags: { yaml: { type: 'boolean', description: 'print YAML; needs the package yaml' }, out: outFlag },
  async run(given, terminal) {
    const document = documentOf(await loadApp(given.positionals[0] as string))
    give(given.flags.yaml ? toYaml(document) : JSON.stringify(document, null, 2), given, terminal)
    return 0
  },
}

/** The application's own document; routers in an application of Koa know no more than their routes and media types. */
export function documentOf({ app, routes }: Service): OpenApiDocument {
  if ('document' in app && typeof app.document === 'function') return (app.document as () => OpenApiDocument)()
  const settings = routes[0]?.router.init.settings
  return createDocument(
    routes.map(({ plan, path }) => ({ ...plan, path })),
    settings && {
      codecs: settings.codecs,
      errorFormat: typeof settings.errors.format === 'function' ? 'own' : settings.errors.format,
      unknownBody: settings.unknownBody,
      bodyStatus: settings.bodyStatus,
      negotiation: settings.negotiation,
      envelope: settings.envelope,
    },
  )
}

function toYaml(document: OpenApiDocument): string {
  return String(yaml().encode?.(document))
}
