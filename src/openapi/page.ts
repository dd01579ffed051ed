import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigurationError, NoSuchResource } from '../errors'
import { escapeMarkup } from '../http/problem'
import { definePlan, type Context, type RoutePlan } from '../route/plan'
import { Reply, Tagged } from '../route/replies'

/** Files of the viewer that the page asks for, with their media types. */
const files: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // The viewer's icons stand in its style sheet.
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const safely = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** Starts the viewer; a file of its own, since the page's policy lets no script stand in it. */
const start = `'use strict'
const { url } = document.getElementById('viewer').dataset
window.ui = SwaggerUIBundle({
  url,
  dom_id: '#viewer',
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  queryConfigEnabled: false,
})
`

/**
 * The page that shows the document in a browser: Swagger UI, served from its package, with no request to another host.
 *
 * @param at the page's path
 * @param document the document's path
 * @throws ConfigurationError where swagger-ui-dist is not installed
 */
export function pagePlans(at: string, document: string, title: string): readonly RoutePlan[] {
  const viewer = findViewer()
  const base = at === '/' ? '' : at
  const plan = (
    id: string,
    path: string,
    call: (...args: never[]) => unknown,
    params: RoutePlan['params'] = [],
  ): RoutePlan =>
    definePlan({
      id: `openapi.${id}`,
      method: 'GET',
      path,
      params: [...params, { source: 'context' }],
      reply: { produces: ['*/*'] },
      call: call as RoutePlan['call'],
      doc: { hidden: true, tags: ['openapi'] },
    })
  const name = { source: 'path', name: 'file', type: { kind: 'string', list: false } } as const
  return [
    plan('page', at, (ctx: Context) => page(ctx, base, document, title)),
    plan('start', `${base}/start.js`, () => asset('start', Buffer.from(start), 'text/javascript; charset=utf-8')),
    plan('viewer', `${base}/:file`, (file: string) => viewerFile(viewer, file), [name as never]),
  ]
}

interface Viewer {
  readonly folder: string
  readonly version: string
}

function findViewer(): Viewer {
  try {
    // Only its place is asked for: its files are sent, none is run here.
    const manifest = require.resolve('swagger-ui-dist/package.json')
    return { folder: dirname(manifest), version: (require(manifest) as { version: string }).version }
  } catch {
    throw new ConfigurationError(
      'openapi.ui',
      'the page needs the package swagger-ui-dist',
      'Install it, npm install swagger-ui-dist, or leave the page out: openapi: { ui: false }',
    )
  }
}

function page(ctx: Context, base: string, document: string, title: string): Reply {
  // Relative to where the page is seen, which a proxy may have moved; a trailing slash is one level more.
  const up = ctx.path.endsWith('/') ? '../' : ''
  const own = `${up}${base.slice(base.lastIndexOf('/') + 1)}`
  const levels = base.split('/').length - 2
  const url = `${up}${'../'.repeat(Math.max(0, levels))}${document.slice(1)}`
  const html = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeMarkup(title)}</title>`,
    `<link rel="icon" type="image/png" href="${own}/favicon-32x32.png">`,
    `<link rel="stylesheet" href="${own}/swagger-ui.css">`,
    `<script src="${own}/swagger-ui-bundle.js" defer></script>`,
    `<script src="${own}/start.js" defer></script>`,
    '</head>',
    `<body><div id="viewer" data-url="${escapeMarkup(url)}"></div></body>`,
    '</html>',
    '',
  ].join('\n')
  return new Reply(200, html, { ...safely, 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' })
}

async function viewerFile({ folder, version }: Viewer, name: string): Promise<Reply> {
  const type = Object.hasOwn(files, name) ? files[name] : undefined
  if (type === undefined) throw new NoSuchResource()
  return asset(`${version}-${name}`, await readFile(join(folder, name)), type)
}

/** Kept by browsers for a day; after that they ask whether it is another one. */
function asset(rev: string, bytes: Buffer, type: string): Reply {
  const headers = { 'Content-Type': type, 'Cache-Control': 'max-age=86400', 'X-Content-Type-Options': 'nosniff' }
  return new Reply(200, new Tagged(bytes, rev), headers)
}
