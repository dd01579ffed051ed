import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from './plan'

/** Makes the context of a request. */
export type CreateContext = (req: IncomingMessage, res: ServerResponse) => Context

/** What contexts are made on, which may be extended at any time, and replaced. */
export interface Prototypes {
  readonly context: object
  readonly request: object
  readonly response: object
}

type Fields = Record<string, unknown>
type Maker = new (req: IncomingMessage, res: ServerResponse) => unknown

/**
 * Makes the contexts of an application as Koa does: the same objects with the same members in the same order, on the
 * prototypes `app.context`, `app.request` and `app.response`. They come out of constructors, which an engine lays out once,
 * where Koa adds member after member to an empty object.
 *
 * @param app the application
 */
export function createContexts(app: Prototypes): CreateContext {
  let made: { readonly context: unknown; readonly request: unknown; readonly response: unknown; readonly make: Maker }
  return function createContext(req, res) {
    const { context, request, response } = app
    if (made?.context !== context || made.request !== request || made.response !== response) {
      made = { context, request, response, make: contextMaker(app) }
    }
    return new made.make(req, res) as Context
  }
}

function contextMaker(app: Prototypes): Maker {
  function KumuRequest(this: Fields, req: IncomingMessage, res: ServerResponse, ctx: object, response: object): void {
    this.app = app
    this.req = req
    this.res = res
    this.ctx = ctx
    this.response = response
    this.originalUrl = req.url
  }
  function KumuResponse(this: Fields, req: IncomingMessage, res: ServerResponse, ctx: object): void {
    this.app = app
    this.req = req
    this.res = res
    this.ctx = ctx
    this.request = undefined
  }
  KumuRequest.prototype = app.request
  KumuResponse.prototype = app.response
  const MakeRequest = KumuRequest as unknown as new (...parts: unknown[]) => Fields
  const MakeResponse = KumuResponse as unknown as new (...parts: unknown[]) => Fields
  function KumuContext(this: Fields, req: IncomingMessage, res: ServerResponse): void {
    const response = new MakeResponse(req, res, this)
    const request = new MakeRequest(req, res, this, response)
    response.request = request
    this.request = request
    this.response = response
    this.app = app
    this.req = req
    this.res = res
    this.originalUrl = req.url
    this.state = {}
  }
  KumuContext.prototype = app.context
  return KumuContext as unknown as Maker
}
