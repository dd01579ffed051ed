/** What one call of a group came to. */
export type Outcome<Output> = { readonly output: Output } | { readonly error: unknown }

/** How calls are gathered. */
export interface GatheringSettings<Input> {
  /** Groups under way at a time. */
  readonly lanes: number
  /** Calls of a group at the most. */
  readonly most: number
  /** What a call weighs, and what a group may: one call alone may always go. Default: calls weigh nothing. */
  readonly weigh?: (input: Input) => number
  readonly heaviest?: number
  /** Of calls with the same key no two are in one group; the later one waits for the next. Default: calls have none. */
  readonly keyOf?: (input: Input) => string
}

interface Waiting<Input, Output> {
  readonly input: Input
  readonly resolve: (output: Output) => void
  readonly reject: (error: unknown) => void
}

/**
 * Calls that come while earlier ones are under way wait for each other and go as one: a round trip for all of them, and a
 * sync of the disk. What comes when nothing is under way goes at once, so nobody waits for company.
 */
export class Gathering<Input, Output> {
  readonly #settings: GatheringSettings<Input>
  readonly #run: (inputs: readonly Input[]) => Promise<ReadonlyArray<Outcome<Output>>>
  #waiting: Array<Waiting<Input, Output>> = []
  #underWay = 0
  #isScheduled = false

  /** @param run does the calls of a group, and tells what became of each; where it throws, all of them fail so */
  constructor(
    settings: GatheringSettings<Input>,
    run: (inputs: readonly Input[]) => Promise<ReadonlyArray<Outcome<Output>>>,
  ) {
    this.#settings = settings
    this.#run = run
  }

  call(input: Input): Promise<Output> {
    return new Promise<Output>((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0 || this.#underWay >= this.#settings.lanes) return
    this.#isScheduled = true
    // After all promises of this turn have had their say.
    process.nextTick(() => {
      this.#isScheduled = false
      while (this.#waiting.length > 0 && this.#underWay < this.#settings.lanes) void this.#send(this.#take())
    })
  }

  /** The first of those who wait, as many as may go together, in their order. */
  #take(): ReadonlyArray<Waiting<Input, Output>> {
    const { most, weigh, heaviest = Infinity, keyOf } = this.#settings
    const keys = new Set<string>()
    const group: Array<Waiting<Input, Output>> = []
    const left: Array<Waiting<Input, Output>> = []
    let weight = 0
    for (const [index, each] of this.#waiting.entries()) {
      if (group.length === most) {
        left.push(...this.#waiting.slice(index))
        break
      }
      const key = keyOf?.(each.input)
      const own = weigh?.(each.input) ?? 0
      const isFree = key === undefined || !keys.has(key)
      if (key !== undefined) keys.add(key)
      if (isFree && (group.length === 0 || weight + own <= heaviest)) {
        group.push(each)
        weight += own
      } else left.push(each)
    }
    this.#waiting = left
    return group
  }

  async #send(group: ReadonlyArray<Waiting<Input, Output>>): Promise<void> {
    this.#underWay++
    try {
      const outcomes = await this.#run(group.map(({ input }) => input))
      group.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index]!
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.output)
      })
    } catch (error) {
      for (const { reject } of group) reject(error)
    } finally {
      this.#underWay--
      this.#schedule()
    }
  }
}
