import { randomBytes } from 'node:crypto'

/**
 * Numbers of one life of a store as text. The epoch makes a number of an emptied or restarted store differ from the same
 * number before: a client may still hold that one as an ETag.
 */
export class Sequence {
  constructor(
    readonly epoch: string,
    /** The highest number that was handed out. */
    public last = 0,
  ) {}

  static createEpoch(): string {
    return randomBytes(6).toString('hex')
  }

  next(): number {
    return ++this.last
  }

  format(number: number): string {
    return `${this.epoch}-${number.toString(36)}`
  }

  /** The number, or nothing where the text is of another life or of nobody's making. */
  parse(text: string): number | undefined {
    const digits = text.startsWith(`${this.epoch}-`) ? text.slice(this.epoch.length + 1) : ''
    if (!/^[0-9a-z]{1,11}$/.test(digits)) return undefined
    const number = Number.parseInt(digits, 36)
    return Number.isSafeInteger(number) && number <= this.last ? number : undefined
  }
}
