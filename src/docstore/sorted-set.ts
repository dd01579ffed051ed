/** Texts in byte order (of ASCII: UTF-16 order is the same). Inserting moves the tail of an array, which is cheap up to 10⁵. */
export class SortedSet {
  readonly #values: string[]

  constructor(values: readonly string[] = []) {
    this.#values = [...values].sort()
  }

  add(value: string): void {
    const at = this.#find(value)
    if (this.#values[at] !== value) this.#values.splice(at, 0, value)
  }

  delete(value: string): void {
    const at = this.#find(value)
    if (this.#values[at] === value) this.#values.splice(at, 1)
  }

  get first(): string | undefined {
    return this.#values[0]
  }

  /** Values that begin so, behind `after` in the direction asked for, one more than `limit` at the most. */
  page(prefix: string, after: string | undefined, limit: number, reverse: boolean): string[] {
    let low = this.#find(prefix)
    // Above every character of a key, so above every key with the prefix.
    let high = this.#find(`${prefix}\uffff`)
    if (after !== undefined) {
      const at = this.#find(after)
      if (reverse) high = Math.min(high, at)
      else low = Math.max(low, this.#values[at] === after ? at + 1 : at)
    }
    if (!reverse) return this.#values.slice(low, Math.min(high, low + limit + 1))
    return this.#values.slice(Math.max(low, high - limit - 1), Math.max(low, high)).reverse()
  }

  /** The place of the first value that is not below this one. */
  #find(value: string): number {
    let low = 0
    let high = this.#values.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#values[middle]! < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
