import type { PageRequest } from '../route/plan'
import type { Reply, Slice } from '../route/replies'
import type { Awaitable } from '../types'
import { methodFacts, type MethodFacts, type ParamFact } from './metadata'
import type { Method } from '../types'

/** The filters of a request: one of these values for each name. */
export type Where = PageRequest['where']

/**
 * A resource in Urest's manner: a subclass writes the verbs it has, those left out are 405. `@Resource(path, { model })`
 * names the class of the documents: it checks bodies, and its scalar members are the filters and sort keys.
 *
 * `select` returns the whole set, which Kumu filters, sorts, counts, slices and projects, or a `slice` of its own making,
 * whose total `count` tells where the slice does not.
 *
 * @example
 * ;@Resource('/employees', { model: Employee })
 * class Employees extends Collection<Employee> {
 *   override select() { return this.rows }
 *   override create(body: Employee) { this.rows.push(body); return created(body, `/employees?name=${body.name}`) }
 * }
 */
export abstract class Collection<T extends object> {
  /** GET: the set, or the part of it that the page asks for. */
  select?(page: PageRequest): Awaitable<Iterable<T> | AsyncIterable<T> | Slice<T>>
  /** POST: 201 with what it returns; `created` adds the address. */
  create?(body: T): Awaitable<Reply | T | undefined>
  /** PUT: 200 with what it returns, 204 with nothing. */
  update?(body: T): Awaitable<Reply | T | undefined | void>
  /** The rows that these filters match: asked where `select` returns a slice without its total. */
  count?(where: Where): Awaitable<number>
  /** DELETE: what the query's filters name; a query without one is refused. */
  delete?(where: Where): Awaitable<Reply | T | undefined | void>
}

function verb(name: string, method: Method, param: ParamFact, more: Partial<MethodFacts> = {}): void {
  const facts = methodFacts(Collection, name)
  facts.routes = [{ method, path: '' }]
  facts.params = [[param]]
  Object.assign(facts, { optional: true, ...more })
}

const model: ParamFact = { source: 'body', options: {}, model: true }
verb('select', 'GET', { source: 'page', options: {} }, { paged: { filter: [], sort: true }, counter: 'count' })
verb('create', 'POST', model, { status: 201 })
verb('update', 'PUT', model)
verb('delete', 'DELETE', { source: 'where', options: {} }, { paged: {} })
