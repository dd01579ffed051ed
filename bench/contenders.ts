import { join } from 'node:path'
import type { AppName } from './workloads/workload'

/** Those that stand on the packages of this repository alone. */
export const own: readonly string[] = ['raw', 'koa', 'koa-straight', 'koa-router', 'koa-validator', 'kumu']

/** Measured where nobody is named: the first is what ratios refer to. */
export const standard: readonly string[] = ['raw', 'koa', 'koa-router', 'koa-validator', 'kumu']

/** Measured where nobody is named and it shall be quick. */
export const few: readonly string[] = ['raw', 'koa', 'koa-router', 'kumu']

/** Frameworks with packages of their own, installed into bench/peers. */
export const peers: readonly string[] = [
  'routing-controllers',
  'nest-express',
  'nest-fastify',
  'tsed',
  'tsoa',
  'fastify',
  'hono',
  'elysia',
]

/** Everybody, in the order of the table. */
export const everybody: readonly string[] = [...own, ...peers]

/** Whether a contender is a framework of others, whose way of refusing is its own. */
export function isPeer(contender: string): boolean {
  return peers.includes(contender)
}

/** Whether a contender wrote an application: koa-validator differs from koa-router in what checks a body alone. */
export function wrote(contender: string, app: AppName): boolean {
  return contender !== 'koa-validator' || app === 'w2'
}

/** The compiled server of a contender. Peers are compiled where their packages are found. */
export function scriptOf(contender: string): string {
  if (!isPeer(contender)) return join(__dirname, 'servers', `${contender}.js`)
  return join(__dirname, '..', '..', 'bench', 'peers', '.build', 'peers', `${contender}.js`)
}
