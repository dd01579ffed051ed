/** One writer a key at a time, inside this process; writers of different keys do not wait for each other. */
export class KeyLocks {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs when all earlier work on the key is done, whatever came of it. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    let release = (): void => undefined
    const tail = new Promise<void>((resolve) => (release = resolve))
    this.#tails.set(key, tail)
    await before
    try {
      return await work()
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
      release()
    }
  }

  /** The same over several keys. They are taken in one order by everybody, so nobody waits in a circle. */
  async runAll<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const [first, ...rest] = [...keys].sort()
    return first === undefined ? work() : this.run(first, () => this.runAll(rest, work))
  }
}
