import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made: string[] = []

/** A fresh directory, removed after all tests of the file. */
export function createDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kumu-docstore-'))
  made.push(dir)
  return dir
}

afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})
