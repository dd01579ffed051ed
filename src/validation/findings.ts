import { BadRequest, HttpError, ValidationError, type ValueSource, type Violation } from '../errors'

// Hostile input can break a rule per byte: an answer that names the first hundred says enough.
const most = 100

/** What was found wrong with one value, in the order it was found. */
export class Findings {
  readonly violations: Violation[] = []
  /** Whether anything is wrong. */
  failed = false
  readonly #refused = new Set<string>()
  readonly #judged = new Set<string>()
  readonly #doubts = new Map<string, string>()

  constructor(readonly source: ValueSource) {}

  add(pointer: string, code: string, detail: string): void {
    this.take({ in: this.source, pointer, code, detail })
  }

  /** Adds what has been put into words before. */
  take(violation: Violation): void {
    this.failed = true
    if (this.violations.length < most) this.violations.push(violation)
  }

  /** Adds what makes a value unfit to be built: the rules on it and below it have nothing to say any more. */
  refuse(pointer: string, code: string, detail: string, subtree = pointer): void {
    this.add(pointer, code, detail)
    this.#refused.add(subtree)
  }

  /** What is wrong with a value if its rules find nothing: they may have a better word for it. */
  doubt(pointer: string, detail: string): void {
    this.#doubts.set(pointer, detail)
  }

  /** The rules have spoken: doubts about values that none of them refused are findings. */
  settleDoubts(): void {
    if (this.#doubts.size === 0) return
    const found = new Set(this.violations.map(({ pointer }) => pointer))
    for (const [pointer, detail] of this.#doubts) if (!found.has(pointer)) this.add(pointer, 'type', detail)
  }

  /** The rules on this value itself have nothing to say any more: one of its elements is refused. */
  silence(pointer: string): void {
    this.#judged.add(pointer)
  }

  /** Whether rules on this value would only repeat what is known. */
  isSilent(pointer: string): boolean {
    if (this.#judged.has(pointer)) return true
    if (this.#refused.size === 0) return false
    for (let end = pointer.length; end >= 0; end = pointer.lastIndexOf('/', end - 1)) {
      if (this.#refused.has(pointer.slice(0, end))) return true
      if (end === 0) break
    }
    return false
  }

  /** The client's answer: 400 outside the body, `bodyStatus` in it. It has no stack: what is wrong stands in the request. */
  toError(bodyStatus: number): HttpError {
    const limit = Error.stackTraceLimit
    // A trace costs more than finding all that is wrong. Where the limit is frozen, one is taken.
    Reflect.set(Error, 'stackTraceLimit', 0)
    try {
      return this.#toError(bodyStatus)
    } finally {
      Reflect.set(Error, 'stackTraceLimit', limit)
    }
  }

  #toError(bodyStatus: number): HttpError {
    const errors = this.violations
    if (this.source !== 'body') return new BadRequest('The request has wrong arguments', { code: 'arguments', errors })
    const detail = 'The body breaks its rules'
    const options = { code: 'validation', errors }
    return bodyStatus === 422 ? new ValidationError(detail, options) : new HttpError(bodyStatus, detail, options)
  }
}
