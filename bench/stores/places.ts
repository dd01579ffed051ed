import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the servers are: as in the tests, an environment variable each, or the standard port of the loopback interface. */
export const addresses = {
  postgres: process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  nats: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
} as const

/** A name that nobody else has, for a table, a prefix or a bucket. */
export function createName(): string {
  return `kumu_bench_${randomBytes(5).toString('hex')}`
}

/** A directory of this run, and what removes it. */
export function createDirectory(): { readonly path: (name: string) => string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'kumu-bench-'))
  return {
    path: (name) => join(directory, name),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
