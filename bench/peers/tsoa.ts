import type { RequestListener } from 'node:http'
import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { ValidateError } from 'tsoa'
import { serve } from '../servers/serve'
import { problem } from '../work'

// tsoa on Koa as its guide has it: controllers and interfaces, from which its CLI writes the routes.

/** What the CLI writes of an application. */
interface Routes {
  RegisterRoutes(router: Router): void
}

/** Loaded by name: it is written after this file is, and of one application only. */
function listener(app: string): RequestListener {
  const { RegisterRoutes } = require(`./.build/generated/${app}/routes`) as Routes
  const koa = new Koa()
  // What a client did wrong is no news.
  koa.silent = true
  koa.use(async function refusal(ctx, next) {
    try {
      await next()
    } catch (error) {
      if (!(error instanceof ValidateError)) throw error
      ctx.status = 422
      ctx.body = { ...problem(422, 'Refused', ctx.path), fields: error.fields }
    }
  })
  koa.use(bodyParser())
  const router = new Router()
  RegisterRoutes(router)
  const handle = koa.use(router.routes()).use(router.allowedMethods()).callback()
  return (req, res) => void handle(req, res)
}

serve({
  w1: () => listener('w1'),
  w2: () => listener('w2'),
  w3: () => listener('w3'),
  w4: () => listener('w4'),
})
