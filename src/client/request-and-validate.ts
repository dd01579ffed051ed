import type { Method } from '../types'
import { joinUrl } from './address'
import type { AnyCalls } from './calls'
import { openContract, type Contract } from './contract'
import { toResponseError } from './errors'
import type { Verb } from './paths'

const contracts = new WeakMap<object, Contract>()

/**
 * Makes a call and holds its answer to an OpenAPI document, as rest-tools' helper for tests does.
 *
 * @param api a client without `paths`
 * @param document an OpenAPI 3.1 document
 * @param args of GET and HEAD the query, of all others the body
 * @returns the body
 * @throws ContractError where the document does not promise this answer, else ResponseError where it is an error
 *
 * @example
 * const fruit = await requestAndValidate(createClient(address), document, 'GET', '/fruits/apple')
 */
export async function requestAndValidate(
  api: Pick<AnyCalls, 'full'> & { readonly address: string },
  document: object,
  method: Method,
  path: string,
  args?: object,
): Promise<unknown> {
  const verb = method.toLowerCase() as Verb
  const isQuery = verb === 'get' || verb === 'head'
  const answer = await api.full[verb](path, isQuery ? { query: { ...args } } : { body: args })
  const contract = contracts.get(document) ?? openContract(document)
  contracts.set(document, contract)
  const request = { method: method.toUpperCase(), url: joinUrl(api.address, path) }
  const { pathname } = new URL(joinUrl('http://document', path))
  contract.check(request, pathname, answer)
  if (answer.ok) return answer.body
  throw toResponseError(request, { ...answer, statusText: '' })
}
