import 'reflect-metadata'
import type { RequestListener } from 'node:http'
import Router from '@koa/router'
import { plainToInstance } from 'class-transformer'
import { validate, type ValidationError } from 'class-validator'
import Koa, { type Context } from 'koa'
import { koaBody } from 'koa-body'
import { problem, storeUser, type Violation } from '../work'
import { serve } from './serve'
import { User } from './user'

// Koa with @koa/router, koa-body, class-transformer and class-validator, put together by hand. It differs from
// koa-router.ts in what checks a body, and so has that application alone.

function refuse(ctx: Context, status: number, errors?: readonly Violation[]): void {
  ctx.status = status
  ctx.body = problem(status, 'Refused', ctx.path, errors)
  ctx.type = 'application/problem+json'
}

function toViolations(errors: readonly ValidationError[], parent = ''): Violation[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const pointer = `${parent}/${property}`
    const own = Object.entries(constraints ?? {}).map(([code, detail]): Violation => ({
      in: 'body',
      pointer,
      code: code === 'whitelistValidation' ? 'unknown' : code,
      detail,
    }))
    return [...own, ...toViolations(children ?? [], pointer)]
  })
}

function w2(): RequestListener {
  const app = new Koa()
  app.use(async function malformed(ctx, next) {
    try {
      await next()
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      refuse(ctx, 400)
    }
  })
  app.use(koaBody())
  const router = new Router()
  let lastId = 0
  router.post('/users', async function create(ctx) {
    const user = plainToInstance(User, ctx.request.body as object)
    const errors = await validate(user, { whitelist: true, forbidNonWhitelisted: true })
    if (errors.length > 0) return refuse(ctx, 422, toViolations(errors))
    ctx.status = 201
    ctx.body = storeUser(++lastId, user)
  })
  const handle = app.use(router.routes()).use(router.allowedMethods()).callback()
  return (req, res) => void handle(req, res)
}

function absent(): never {
  throw new Error('koa-validator has the application of w2 alone')
}

serve({ w1: absent, w2, w3: absent, w4: absent })
