import type { Awaitable } from '../types'
import type { Driver } from './driver'
import { docstore } from './store'
import { batches } from './suite-batches'
import { bodies } from './suite-bodies'
import { checks } from './suite-checks'
import { closing } from './suite-closing'
import { conditions } from './suite-conditions'
import { expiry } from './suite-expiry'
import { listing } from './suite-listing'
import { queries } from './suite-query'
import type { Bench, Clock, Test } from './suite-bench'
import { streams } from './suite-streams'
import { watching } from './suite-watching'

/** The driver under test, and the runner that the tests are handed to. */
export interface ConformanceOptions {
  /** Names the driver in the titles. */
  readonly name: string
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
  /** `describe` of Jest, Mocha, Vitest or `node:test`. */
  readonly describe: (title: string, define: () => void) => unknown
  /** `it` or `test` of the same. */
  readonly it: (title: string, run: () => Promise<void>) => unknown
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
 * refused. It throws plain errors of `node:assert` and runs in any runner.
 *
 * @param options the driver and the runner
 *
 * @example
 * conformance({ name: 'memory', open: () => memory(), describe, it })
 */
export function conformance(options: ConformanceOptions): void {
  const { name, open, reopen, clock = realTime, log, rounds = 50, patience = 5000, describe, it } = options
  describe(`docstore(${name})`, () => {
    for (const [section, tests] of sections) {
      describe(section, () => {
        for (const { title, run } of tests) it(title, () => runOne(run))
      })
    }
  })

  async function runOne(run: Test['run']): Promise<void> {
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
      await run(bench)
    } finally {
      for (const other of others) await other.close()
      await store.close()
    }
  }
}
