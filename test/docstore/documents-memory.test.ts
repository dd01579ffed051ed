import { buildSync } from 'esbuild'
import { spawn } from 'node:child_process'
import { createHash, randomBytes, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { begin } from '../support/exchange'
import { exchange } from '../support/serve'
import { createDirectory } from './support/directories'
import { linesOf } from './support/workers'

const mebibyte = 1024 ** 2
const size = Number(process.env.KUMU_STREAM_MIB ?? 256) * mebibyte
const growth = 64 * mebibyte

const root = join(__dirname, '../..')

/** `kumu` and its doors, to the files that Jest loads in their place. */
const { moduleNameMapper } = jest.requireActual<{ moduleNameMapper: Record<string, string> }>('../../jest.config.js')
const doors = Object.fromEntries(
  Object.entries(moduleNameMapper)
    .filter(([pattern]) => pattern.startsWith('^kumu'))
    .map(([pattern, path]) => [pattern.slice(1, -1), path.replace('<rootDir>', root)]),
)

describe('documents on file: PUT and GET of a body that is larger than the memory they may take', () => {
  it.each([
    ['of known length', { 'Content-Length': String(size) }],
    ['chunked', {}],
  ])(
    `a body of ${size / mebibyte} MiB, %s, passes both ways`,
    async (_framing, headers) => {
      const server = await startServer()
      try {
        await server.passes(mebibyte, {})
        const { now: before } = await server.memory()
        const written = await server.writes(size, headers)
        const { peak: whileWriting } = await server.memory()
        expect(await server.reads(size)).toBe(written)
        const { peak: whileReading } = await server.memory()
        if (process.env.KUMU_STREAM_MIB) {
          const grown = [whileWriting, whileReading].map((peak) => ((peak - before) / mebibyte).toFixed(1))
          process.stdout.write(
            `at rest ${(before / mebibyte).toFixed(1)} MiB; in +${grown[0]} MiB, out +${grown[1]} MiB\n`,
          )
        }
        expect(whileWriting - before).toBeLessThan(growth)
        expect(whileReading - before).toBeLessThan(growth)
      } finally {
        await server.end()
      }
    },
    120_000 + size / 2000,
  )
})

interface Memory {
  readonly now: number
  readonly peak: number
}

/** A server in a process of its own, bundled: a compiler in it would have memory of its own to spare. */
async function startServer() {
  const dir = createDirectory()
  const script = join(dir, 'documents-server.cjs')
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  buildSync({
    entryPoints: [join(__dirname, 'support/documents-server.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    packages: 'external',
    alias: doors,
  })
  const child = spawn(process.execPath, [script, createDirectory()], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { value } = await linesOf(child).next()
  const port = Number(value)
  const path = '/docs/large'

  return {
    memory: async (): Promise<Memory> => (await exchange(port, 'GET', '/memory')).json<Memory>(),
    /** Sends so many bytes; their hash. */
    writes: async (length: number, headers: Record<string, string>): Promise<string> => {
      const { request, response } = begin(port, 'PUT', path, headers)
      const hash = createHash('sha256')
      await pipeline(Readable.from(generate(length, hash)), request)
      const answer = await response
      answer.resume()
      expect([201, 204]).toContain(answer.statusCode)
      return hash.digest('hex')
    },
    /** Reads so many bytes; their hash. */
    reads: async (length: number): Promise<string> => {
      const { request, response } = begin(port, 'GET', path)
      request.end()
      const answer: IncomingMessage = await response
      expect([answer.statusCode, answer.headers['content-length']]).toEqual([200, String(length)])
      const hash = createHash('sha256')
      for await (const piece of answer as AsyncIterable<Buffer>) hash.update(piece)
      return hash.digest('hex')
    },
    async passes(length: number, headers: Record<string, string>): Promise<void> {
      const written = await this.writes(length, headers)
      expect(await this.reads(length)).toBe(written)
    },
    end: async (): Promise<void> => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** No two mebibytes are alike. */
function* generate(length: number, hash: Hash): Generator<Uint8Array> {
  const seed = randomBytes(mebibyte)
  for (let sent = 0; sent < length; sent += mebibyte) {
    const piece = Buffer.from(seed.subarray(0, Math.min(mebibyte, length - sent)))
    piece.writeUInt32BE(sent / mebibyte)
    hash.update(piece)
    yield piece
  }
}
