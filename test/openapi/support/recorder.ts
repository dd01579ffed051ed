import Ajv, { type ValidateFunction } from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import type {
  Content,
  HeaderObject,
  OpenApiDocument,
  OperationObject,
  Reference,
  ResponseObject,
} from '../../../src/openapi/types'
import type { Answer, Ask } from '../../support/serve'

/** Headers that are the transport's, or of which a document says elsewhere. */
const framing = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'x-accel-buffering',
])

const escape = (token: string): string => encodeURIComponent(token.replaceAll('~', '~0').replaceAll('/', '~1'))

/** Holds answers to a document: what it does not tell is noted, a sentence each. */
export class Recorder {
  readonly findings: string[] = []
  /** Operations that were asked, as `get /items`. */
  readonly asked = new Set<string>()
  readonly #ajv: Ajv
  readonly #known = new Map<string, ValidateFunction>()

  constructor(readonly document: OpenApiDocument) {
    this.#ajv = new Ajv({ strict: false, validateSchema: false, logger: false, allErrors: false })
    addFormats(this.#ajv)
    this.#ajv.addSchema(document, 'whole')
    // Whoever chooses members gets an object without the others.
    this.#ajv.addSchema(withoutRequired(document) as object, 'parts')
  }

  note(method: string, target: string, ask: Ask, answer: Answer): void {
    const [path = '', query = ''] = target.split('?')
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
    const found = this.#find(path, verb)
    const label = `${method} ${target} → ${answer.status}`
    if (!found) {
      if (![404, 405, 501, 204, 200].includes(answer.status))
        this.findings.push(`${label}: an operation of no document`)
      return
    }
    this.asked.add(`${verb} ${found.template}`)
    const response = this.#resolve(found.operation.responses[answer.status])
    if (!response) {
      this.findings.push(`${label}: this status is not documented`)
      return
    }
    this.#checkHeaders(label, response.value.headers ?? {}, answer)
    if (method === 'HEAD') return
    const chosen = new URLSearchParams(query).has('fields') ? 'parts' : 'whole'
    this.#checkBody(
      label,
      `${chosen}#${response.at ?? `/paths/${escape(found.template)}/${verb}/responses/${answer.status}`}`,
      response.value.content,
      answer,
    )
  }

  #find(path: string, verb: string): { template: string; operation: OperationObject } | undefined {
    const all = Object.entries(this.document.paths)
    const matching = all
      .filter(([template]) => matches(template, path) && this.document.paths[template]?.[verb])
      .sort(([left], [right]) => left.split('{').length - right.split('{').length)
    const [template, item] = matching[0] ?? []
    const operation = item?.[verb]
    return template !== undefined && operation ? { template, operation } : undefined
  }

  #resolve(response: ResponseObject | Reference | undefined): { value: ResponseObject; at?: string } | undefined {
    if (!response) return undefined
    if (!('$ref' in response)) return { value: response }
    const name = response.$ref.split('/').at(-1) ?? ''
    const value = this.document.components?.responses?.[name]
    return value && { value, at: `/components/responses/${escape(name)}` }
  }

  #checkHeaders(label: string, documented: Record<string, HeaderObject | Reference>, answer: Answer): void {
    const names = new Set(Object.keys(documented).map((name) => name.toLowerCase()))
    for (const name of Object.keys(answer.headers)) {
      if (!framing.has(name) && !names.has(name)) this.findings.push(`${label}: the header ${name} is not documented`)
    }
  }

  #checkBody(label: string, pointer: string, content: Content | undefined, answer: Answer): void {
    if (answer.bytes.length === 0) return
    const type = String(answer.headers['content-type']).split(';')[0]?.trim() ?? ''
    const range = [type, `${type.split('/')[0]}/*`, '*/*'].find((each) => content && each in content)
    if (range === undefined) {
      this.findings.push(`${label}: a body of ${type} is not documented`)
      return
    }
    if (!/^application\/(?:[\w.-]+\+)?json$/.test(type) || range !== type) return
    const check = this.#check(`${pointer}/content/${escape(type)}/schema`)
    if (!check(answer.json())) {
      this.findings.push(
        `${label}: the body is another: ${this.#ajv.errorsText(check.errors)} in ${answer.text.slice(0, 200)}`,
      )
    }
  }

  #check(ref: string): ValidateFunction {
    const known = this.#known.get(ref) ?? this.#ajv.compile({ $ref: ref })
    this.#known.set(ref, known)
    return known
  }
}

function matches(template: string, path: string): boolean {
  const source = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]*\}/g, '[^/]+')
  return new RegExp(`^${source}/?$`).test(path)
}

function withoutRequired(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRequired)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name, member]) => !(name === 'required' && Array.isArray(member)))
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutRequired(member)]))
}
