import type { Awaitable } from '../types'
import type { Driver } from './driver'
import { docstore } from './store'
import { batches } from './suite-batches'
import type { Bench, Clock, Test } from './suite-bench'
import { bodies } from './suite-bodies'
import { checks } from './suite-checks'
import { closing } from './suite-closing'
import { conditions } from './suite-conditions'
import { expiry } from './suite-expiry'
import { listing } from './suite-listing'
import { queries } from './suite-query'
import { streams } from './suite-streams'
import { watching } from './suite-watching'

/** The driver under test. */
export interface ConformanceSubject {
  /** A driver over an empty store; every test asks for one and closes it. */
  readonly open: () => Awaitable<Driver>
  /** One more driver over the store that the last `open` made. For drivers that reach further than their process, or keep what they store. */
  readonly reopen?: () => Awaitable<Driver>
  /** The clock that the driver was given. Default: real time, and real waiting. */
  readonly clock?: Clock
  /** Changes that the driver was told to keep, at least 100; without it the end of its log is not tested. */
  readonly log?: number
  /** Rounds of each race. Default 50. */
  readonly rounds?: number
  /** Milliseconds to wait for a change before the test fails. Default 5,000. */
  readonly patience?: number
}

/** The driver under test, and the runner that the tests are handed to. */
export interface ConformanceOptions extends ConformanceSubject {
  /** Names the driver in the titles. */
  readonly name: string
  /** `describe` of Jest, Mocha, Vitest or `node:test`. */
  readonly describe: (title: string, define: () => void) => unknown
  /** `it` or `test` of the same. */
  readonly it: (title: string, run: (...given: unknown[]) => Promise<void>) => unknown
}

/**
 * What a test has come to, when it has not failed. `not declared`: the driver does not declare the ability, and so was not
 * tested. `not given`: {@link ConformanceSubject.reopen} or `log` is missing.
 */
export type ConformanceOutcome = 'passed' | 'not declared' | 'not given'

/** One test of the suite over one driver. */
export interface ConformanceTest {
  /** What it is about: `conditions`, `watch`. */
  readonly section: string
  readonly title: string
  /** Opens a driver, tests it and closes it; rejects with what is wrong. */
  readonly run: () => Promise<ConformanceOutcome>
}

const sections: ReadonlyArray<readonly [string, readonly Test[]]> = [
  ['checks', checks],
  ['bodies', bodies],
  ['streams', streams],
  ['conditions', conditions],
  ['list', listing],
  ['expiry', expiry],
  ['batch', batches],
  ['watch', watching],
  ['query', queries],
  ['close', closing],
]

const realTime: Clock = {
  now: Date.now,
  advance: (duration) => new Promise((resolve) => setTimeout(resolve, duration)),
}

/**
 * The suite that every driver passes: what a driver declares in `can` must work, and what it does not declare must be
 * refused. It throws plain errors of `node:assert` and runs in any runner. A test that does not apply is skipped where the
 * runner hands its tests a `skip()`, as `node:test` and Vitest do, and passes elsewhere.
 *
 * @param options the driver and the runner
 *
 * @example
 * conformance({ name: 'memory', open: () => memory(), describe, it })
 */
export function conformance(options: ConformanceOptions): void {
  const { name, describe, it } = options
  const tests = conformanceTests(options)
  describe(`docstore(${name})`, () => {
    for (const section of new Set(tests.map((test) => test.section))) {
      describe(section, () => {
        for (const { title, run } of tests.filter((test) => test.section === section)) {
          // Named arguments would make a callback of Jest's and Mocha's: both count them.
          it(title, async (...[context]) => {
            const outcome = await run()
            if (outcome !== 'passed') skip(context, outcome)
          })
        }
      })
    }
  })
}

/**
 * The same tests one by one, for whoever wants to know what each has come to.
 *
 * @param subject the driver
 *
 * @example
 * for (const { title, run } of conformanceTests({ open: () => memory() })) console.log(await run(), title)
 */
export function conformanceTests(subject: ConformanceSubject): readonly ConformanceTest[] {
  return sections.flatMap(([section, tests]) =>
    tests.map((test) => ({ section, title: test.title, run: () => runOne(test, subject) })),
  )
}

async function runOne({ needs, wants, run }: Test, subject: ConformanceSubject): Promise<ConformanceOutcome> {
  const { open, reopen, clock = realTime, log, rounds = 50, patience = 5000 } = subject
  const store = docstore(await open())
  const others: Array<{ close(): Promise<void> }> = []
  const bench: Bench = {
    store,
    clock,
    log,
    rounds,
    patience,
    async another() {
      if (!reopen) return undefined
      const other = docstore(await reopen())
      others.push(other)
      return other
    },
  }
  try {
    if (needs && !needs(store.can)) return 'not declared'
    if (wants && subject[wants] === undefined) return 'not given'
    await run(bench)
    return 'passed'
  } finally {
    for (const other of others) await other.close()
    await store.close()
  }
}

function skip(context: unknown, why: ConformanceOutcome): void {
  const given = context as { readonly skip?: unknown } | undefined
  if (typeof given?.skip === 'function') (given.skip as (note: string) => void).call(given, why)
}
