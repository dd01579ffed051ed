import { parseMediaType } from '../http/media-type'
import { escapePointer } from '../http/pointer'
import { contentKind, decodeContent } from './content'
import { findOperation, readOperations, resolve, type DocumentOperation, type Json } from './contract-paths'
import type { Draft, Layer, Send } from './draft'
import { ContractError, type RequestFacts } from './errors'
import { loadOptional } from './optional'

/** What an answer is held to. */
export interface Contract {
  /** @throws ContractError where the document does not know the path, the status or the media type, or the body breaks its schema */
  check(request: RequestFacts, path: string, answer: ContractAnswer): void
}

/** An answer to be checked. */
export interface ContractAnswer {
  readonly status: number
  readonly headers: Headers
  /** Decoded, `null` where there is nothing; `undefined` where it was not read. */
  readonly body: unknown
}

interface Validator {
  (value: unknown): boolean
  readonly errors?: ReadonlyArray<{ readonly instancePath: string; readonly message?: string }> | null
}

interface Ajv {
  addSchema(schema: object, key: string): unknown
  compile(schema: object): Validator
}

type AjvClass = new (options: object) => Ajv

/**
 * Makes an OpenAPI 3.1 document something that answers are held to; it takes the package ajv, and ajv-formats where it is
 * there.
 *
 * @param document the document as data
 * @throws Error where ajv is not installed
 */
export function openContract(document: object): Contract {
  const loaded = loadOptional('ajv', 'ajv/dist/2020.js', 'Validation of answers') as Record<string, unknown>
  const addFormats = loadFormats()
  const Class = (loaded['Ajv2020'] ?? loaded['default']) as AjvClass
  const ajv = new Class({
    strict: false,
    allErrors: true,
    validateSchema: false,
    validateFormats: addFormats !== undefined,
  })
  addFormats?.(ajv)
  ajv.addSchema(document, schemaKey)
  const operations = readOperations(document as Json)
  const validators = new Map<string, Validator>()
  const validatorOf = (pointer: string): Validator => {
    const known = validators.get(pointer) ?? ajv.compile({ $ref: `${schemaKey}#${encodeURI(pointer)}` })
    validators.set(pointer, known)
    return known
  }
  return { check: (request, path, answer) => check(operations, validatorOf, document as Json, request, path, answer) }
}

const schemaKey = 'kumu:document'

function loadFormats(): ((ajv: Ajv) => void) | undefined {
  try {
    const loaded = loadOptional('ajv-formats', 'ajv-formats', 'Validation of formats') as Record<string, unknown>
    const { default: inner } = loaded as { default: unknown }
    return (typeof inner === 'function' ? inner : (inner as { default: unknown }).default) as (ajv: Ajv) => void
  } catch {
    return undefined
  }
}

function check(
  operations: readonly DocumentOperation[],
  validatorOf: (pointer: string) => Validator,
  document: Json,
  request: RequestFacts,
  path: string,
  { status, headers, body }: ContractAnswer,
): void {
  const refuse = (message: string): never => {
    throw new ContractError(request, status, message)
  }
  const operation =
    findOperation(operations, request.method, path) ?? refuse(`the document knows no ${request.method} ${path}`)
  const key = [String(status), `${String(status)[0]}XX`, 'default'].find((each) =>
    Object.hasOwn(operation.responses, each),
  )
  if (key === undefined) return refuse(`the document knows no status ${status} here`)
  const [response, pointer] = resolve(document, operation.responses[key], `${operation.pointer}/responses/${key}`)
  // Of HEAD the content is told, and never there.
  if (request.method === 'HEAD' || body === null || body === undefined) return
  const contents = (response['content'] ?? {}) as Json
  const type = headers.get('content-type') ?? 'application/octet-stream'
  const range = mediaRangeOf(type, contents) ?? refuse(`the document knows no ${type} for the status ${status} here`)
  if (contentKind(type) === 'bytes' || (contents[range] as Json)['schema'] === undefined) return
  const validator = validatorOf(`${pointer}/content/${escapePointer(range)}/schema`)
  if (!validator(body)) refuse(`the body breaks its schema: ${describeErrors(validator)}`)
}

function mediaRangeOf(type: string, contents: Json): string | undefined {
  const essence = parseMediaType(type)?.essence ?? type
  const patterns = [essence, `${essence.split('/')[0]}/*`, '*/*']
  return Object.keys(contents).find((key) => patterns.includes(parseMediaType(key)?.essence ?? key.toLowerCase()))
}

function describeErrors({ errors }: Validator): string {
  const lines = (errors ?? []).map(({ instancePath, message }) => `'${instancePath}' ${message ?? 'is wrong'}`)
  return [...new Set(lines)].slice(0, 5).join('; ')
}

/** A layer that refuses answers which the document does not promise. */
export function contractLayer(source: true | object, base: string, load: Send): Layer {
  let opening: Promise<Contract> | undefined
  const open = (draft: Draft): Promise<Contract> => {
    const document = source === true ? loadDocument(base, load, draft) : Promise.resolve(source)
    return document.then(openContract)
  }
  return (next) => {
    return async function checked(draft) {
      const answer = await next(draft)
      opening ??= open(draft)
      opening.catch(() => (opening = undefined))
      const contract = await opening
      const { response, content } = answer
      const body = draft.whole ? decodeContent(content) : undefined
      contract.check(draft, pathOf(draft.url, base), { status: response.status, headers: response.headers, body })
      return answer
    }
  }
}

function pathOf(url: string, base: string): string {
  return new URL(url).pathname.slice(new URL(base).pathname.replace(/\/$/, '').length)
}

async function loadDocument(base: string, load: Send, { headers, signal }: Draft): Promise<object> {
  const draft: Draft = {
    method: 'GET',
    url: `${base}/openapi.json`,
    headers: { ...headers, accept: 'application/json' },
    signal,
    replayable: true,
    whole: true,
  }
  const { response, content } = await load(draft)
  const document = response.ok ? decodeContent(content) : undefined
  if (typeof document === 'object' && document !== null) return document
  throw new ContractError(draft, response.status, 'there is no document to hold answers to')
}
