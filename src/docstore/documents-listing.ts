import { negotiate } from '../http/accept'
import { escapeMarkup } from '../http/problem'
import type { Interceptor } from '../route/plan'
import { Reply } from '../route/replies'
import { addressOf } from './documents-address'

/** One entry of the list of a mount. */
export interface ListedDocument {
  readonly key: string
  readonly type: string
  /** In bytes. */
  readonly size: number
  /** ISO 8601. */
  readonly modified: string
  readonly etag: string
}

const offered = ['application/json', 'text/html', 'text/plain', 'application/xml']

/** Turns a page of documents into a page for people or into a key a line, where the client prefers that. */
export function renderListing(path: string): Interceptor {
  return async function renderListing(ctx, next) {
    const result = await next()
    if (!(result instanceof Reply) || !Array.isArray(result.body)) return result
    const type = negotiate(ctx.req.headers.accept, offered)
    const rows = result.body as Partial<ListedDocument>[]
    if (type === 'text/plain') {
      const text = rows.map(({ key }) => `${key ?? ''}\n`).join('')
      return new Reply(result.status, text, {
        ...result.headers,
        Vary: 'Accept',
        'Content-Type': 'text/plain; charset=utf-8',
      })
    }
    if (type !== 'text/html') return result
    return new Reply(
      result.status,
      toHtml(path, (key) => addressOf(ctx, key), rows),
      {
        ...result.headers,
        Vary: 'Accept',
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
      },
    )
  }
}

function toHtml(title: string, toAddress: (key: string) => string, rows: readonly Partial<ListedDocument>[]): string {
  const lines = rows.map(({ key = '', type, size, modified }) => {
    const cells = [type, size, modified].map((cell) => `<td>${escapeMarkup(String(cell ?? ''))}</td>`).join('')
    return `<tr><td><a href="${escapeMarkup(toAddress(key))}">${escapeMarkup(key)}</a></td>${cells}</tr>`
  })
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${escapeMarkup(title)}</title>`,
    '<style>body{font:1rem system-ui;margin:2rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0}</style></head>',
    `<body><h1>${escapeMarkup(title)}</h1>`,
    '<table><thead><tr><th>Key</th><th>Type</th><th>Bytes</th><th>Modified</th></tr></thead>',
    `<tbody>${lines.join('\n')}</tbody></table></body></html>`,
    '',
  ].join('\n')
}
