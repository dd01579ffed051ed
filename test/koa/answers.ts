import { createReadStream } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import type Koa from 'koa'

/** An answer that is given through the context, as Koa documents it; it has a body, or says that it has none. */
export type Answering = (ctx: Koa.Context) => unknown

const day = new Date(Date.UTC(2024, 1, 29, 12))
const umlauts = 'Grüße, 世界'

/** The kinds of body, and how status, type and length follow from them. */
export const bodies: ReadonlyArray<readonly [name: string, answer: Answering]> = [
  ['text', (ctx) => (ctx.body = 'plain')],
  ['text that is no ASCII', (ctx) => (ctx.body = umlauts)],
  ['text that begins as markup', (ctx) => (ctx.body = ' <p>hello</p>')],
  ['no text', (ctx) => (ctx.body = '')],
  ['a buffer', (ctx) => (ctx.body = Buffer.from([0, 255, 10, 13]))],
  ['no bytes', (ctx) => (ctx.body = Buffer.alloc(0))],
  ['an object', (ctx) => (ctx.body = { a: 1, b: [umlauts] })],
  ['an object without members', (ctx) => (ctx.body = {})],
  ['an array', (ctx) => (ctx.body = [1, null, 'x'])],
  ['a number', (ctx) => (ctx.body = 42)],
  ['zero', (ctx) => (ctx.body = 0)],
  ['true', (ctx) => (ctx.body = true)],
  ['false', (ctx) => (ctx.body = false)],
  ['a date', (ctx) => (ctx.body = day)],
  ['an object with toJSON', (ctx) => (ctx.body = { toJSON: () => ({ of: 'its own' }) })],
  ['null', (ctx) => (ctx.body = null)],
  ['null under a status', (ctx) => Object.assign(ctx, { status: 200, body: null })],
  ['null, and then a status', (ctx) => Object.assign(ctx, { body: null, status: 200 })],
  ['null, and then 404', (ctx) => Object.assign(ctx, { body: null, status: 404 })],
  ['null as JSON', (ctx) => Object.assign(ctx, { type: 'json', body: null })],
  ['a stream', (ctx) => (ctx.body = Readable.from([Buffer.from('one '), Buffer.from('two')]))],
  ['a stream of known length', (ctx) => Object.assign(ctx, { body: Readable.from([Buffer.from('four')]), length: 4 })],
  ['a stream without content', (ctx) => (ctx.body = Readable.from([]))],
  ['a stream that is written later', (ctx) => (ctx.body = later('written', ' later'))],
  ['a file', (ctx) => Object.assign(ctx, { body: createReadStream(__filename, { start: 0, end: 99 }), type: 'js' })],
  ['a blob', (ctx) => (ctx.body = new Blob(['<b>', umlauts]))],
  ['a blob with a type', (ctx) => (ctx.body = new Blob(['a,b\n'], { type: 'text/csv' }))],
  ['a web stream', (ctx) => (ctx.body = new Blob(['from the web']).stream())],
  ['a web response', (ctx) => (ctx.body = new Response('made', { status: 201, headers: { 'X-From': 'fetch' } }))],
  ['a web response without content', (ctx) => (ctx.body = new Response(null, { status: 202 }))],
]

/** Status, headers and everything else that a context is asked to do. */
export const manners: ReadonlyArray<readonly [name: string, answer: Answering]> = [
  ['a status, then a body', (ctx) => Object.assign(ctx, { status: 201, body: { id: 1 } })],
  ['a body, then a status', (ctx) => Object.assign(ctx, { body: 'sorry', status: 503 })],
  ['204 over a body', (ctx) => Object.assign(ctx, { body: 'dropped', status: 204 })],
  ['204, then a body', (ctx) => Object.assign(ctx, { status: 204, body: 'dropped' })],
  ['205 over a body', (ctx) => Object.assign(ctx, { body: 'dropped', status: 205 })],
  ['304 over a body and its tag', (ctx) => Object.assign(ctx, { body: 'dropped', etag: 'v1', status: 304 })],
  ['an unknown status', (ctx) => Object.assign(ctx, { body: 'odd', status: 299 })],
  ['a message', (ctx) => Object.assign(ctx, { status: 200, message: 'Fine With Me', body: 'x' })],
  ['a type before the body', (ctx) => Object.assign(ctx, { type: 'text/csv', body: 'a,b' })],
  ['a type after the body', (ctx) => Object.assign(ctx, { body: 'a,b', type: 'csv' })],
  ['no type', (ctx) => Object.assign(ctx, { body: 'untyped', type: '' })],
  ['another type of JSON', (ctx) => Object.assign(ctx, { type: 'application/vnd.api+json', body: { data: null } })],
  ['a type that an object overrides', (ctx) => Object.assign(ctx, { type: 'text/plain', body: { a: 1 } })],
  ['a body over another', (ctx) => [{ a: 1 }, Buffer.from('x'), 'last'].forEach((body) => (ctx.body = body))],
  ['an object over a text', (ctx) => ['first', { last: true }].forEach((body) => (ctx.body = body))],
  ['a text over a stream', (ctx) => [later('never'), 'last'].forEach((body) => (ctx.body = body))],
  ['null over a text', (ctx) => ['first', null].forEach((body) => (ctx.body = body))],
  ['a length taken away', (ctx) => [(ctx.body = 'chunked'), ctx.remove('Content-Length')]],
  ['a type taken away', (ctx) => [(ctx.body = 'untyped'), ctx.remove('Content-Type')]],
  ['chunks asked for', (ctx) => [ctx.set('Transfer-Encoding', 'chunked'), (ctx.body = 'in chunks')]],
  ['headers', (ctx) => [ctx.set({ 'X-One': '1', 'x-two': 'b' }), ctx.set('X-List', ['a', 'b']), (ctx.body = 'x')]],
  ['a header added to', (ctx) => [ctx.append('Link', '<a>'), ctx.append('Link', ['<b>', '<c>']), (ctx.body = 'x')]],
  ['a header taken away', (ctx) => [ctx.set('X-Gone', '1'), ctx.remove('x-gone'), (ctx.body = 'x')]],
  ['headers of Node', (ctx) => [ctx.res.setHeader('x-RaW', 'kept'), (ctx.body = ctx.response.get('X-Raw'))]],
  ['a status of Node', (ctx) => [(ctx.res.statusCode = 202), (ctx.body = 'Koa says 200')]],
  ['cookies', (ctx) => [setCookies(ctx), (ctx.body = 'x')]],
  ['a redirection', (ctx) => ctx.redirect('/there?q=ü&<b>')],
  ['a redirection with a status', (ctx) => [(ctx.status = 301), ctx.redirect('https://example.com/a b')]],
  ['a way back', (ctx) => ctx.back('/home')],
  ['an attachment', (ctx) => [ctx.attachment('Grüße.json'), (ctx.body = { a: 1 })]],
  ['Vary', (ctx) => [ctx.vary('Origin'), ctx.vary(['Accept', 'origin']), (ctx.body = 'x')]],
  ['validators', (ctx) => Object.assign(ctx, { etag: 'W/"1"', lastModified: day, body: 'x' })],
  ['freshness', (ctx) => Object.assign(ctx, { status: 200, etag: 'v1', body: `${ctx.fresh} ${ctx.stale}` })],
  ['what was written, read', (ctx) => [(ctx.body = umlauts), (ctx.body = [ctx.status, ctx.length, ctx.type].join())]],
  ['JSON, read', (ctx) => [(ctx.body = { a: umlauts }), ctx.set('X-Read', `${ctx.length} ${ctx.type} ${ctx.message}`)]],
  ['what is there at first', (ctx) => (ctx.body = [ctx.status, ctx.message, ctx.type, ctx.headerSent, ctx.writable])],
  ['the types of the answer', (ctx) => [(ctx.type = 'html'), (ctx.body = [ctx.response.is('html', 'json')].join())]],
  ['the context as JSON', (ctx) => (ctx.body = Object.keys(ctx.toJSON()))],
  ['headers that leave early', (ctx) => [(ctx.status = 200), (ctx.type = 'text'), ctx.flushHeaders(), sendLate(ctx)]],
  ['the answer of Node', (ctx) => [(ctx.respond = false), ctx.res.writeHead(202, { 'X-Raw': '1' }).end('raw')]],
  ['an answer that Node has sent', (ctx) => void ctx.res.writeHead(203).end('sent')],
  ['what JSON cannot hold', (ctx) => (ctx.body = { big: 1n })],
  ['a function', (ctx) => (ctx.body = () => 'not called')],
]

function setCookies(ctx: Koa.Context): void {
  ctx.cookies.set('plain', 'a', { httpOnly: false })
  ctx.cookies.set('strict', 'b', { sameSite: 'strict', maxAge: 0, expires: day, path: '/x', overwrite: true })
}

function sendLate(ctx: Koa.Context): void {
  ctx.set('X-Late', 'lost')
  ctx.body = 'late'
}

function later(...chunks: readonly string[]): PassThrough {
  const stream = new PassThrough()
  setImmediate(() => {
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
  })
  return stream
}
