import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './tools.mjs'

// The public suite over every driver, on real servers, as one table: npm run test:stores -- [driver …]
if (process.env.CI !== 'true' || !existsSync(join(root, 'dist', 'index.js'))) await import('./build.mjs')

/** Loads a file of what was built. */
const load = (path) => import(pathToFileURL(join(root, 'dist', 'docstore', `${path}.js`)).href)

const { conformanceTests } = await load('conformance')
const services = {
  postgres: process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  nats: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
}
const ports = { postgres: 5432, redis: 6379, nats: 4222 }
const index = ['i', 'deep.i']
const log = 200
/** Near enough that a body can be above it. */
const maxBody = 4 * 1024 * 1024
let made = 0
const nextName = () => `kumu-test-${randomBytes(6).toString('hex')}-${++made}`

/** A clock that is put forward instead of waited for. */
const clock = { time: Date.now(), now: () => clock.time, advance: (duration) => void (clock.time += duration) }
const { now } = clock

/** Drivers in the order of the table: each gives what the suite is to test, and what removes all traces of it. */
const drivers = {
  async memory() {
    const { memory } = await load('drivers/memory')
    return { subject: { open: () => memory({ maxBody, log, now }), clock, log } }
  },
  file: () => inDirectories('file', (dir, more) => ({ dir, now, ...more })),
  level: () => inDirectories('level', (dir, more) => ({ dir, log, now, ...more }), { log }),
  sqlite: () =>
    inDirectories('sqlite', (dir, more) => ({ file: join(dir, 'store.db'), log, now, index, ...more }), { log }),
  async postgres(url) {
    const { postgres } = await load('drivers/postgres')
    const { Client } = (await import('pg')).default
    const client = new Client({ connectionString: url })
    await client.connect()
    const schema = nextName().replaceAll('-', '_')
    await client.query(`CREATE SCHEMA ${schema}`)
    let table
    const options = () => ({ url, log, now, index, table: `${schema}.${table}` })
    return {
      subject: {
        open() {
          table = `t${++made}`
          return postgres({ ...options(), maxBody })
        },
        reopen: () => postgres(options()),
        clock,
        log,
      },
      async remove() {
        await client.query('SET client_min_messages = warning')
        await client.query(`DROP SCHEMA ${schema} CASCADE`)
        await client.end()
      },
    }
  },
  async redis(url) {
    const { redis } = await load('drivers/redis')
    const { Redis } = await import('ioredis')
    const prefixes = []
    return {
      // The server's clock is the default one: here time passes.
      subject: {
        open() {
          prefixes.push(nextName())
          return redis({ url, prefix: prefixes.at(-1), maxBody, log })
        },
        reopen: () => redis({ url, prefix: prefixes.at(-1), log }),
        log,
      },
      async remove() {
        const client = new Redis(url)
        for (const prefix of prefixes) {
          for await (const names of client.scanStream({ match: `{${prefix}}:*`, count: 1000 })) {
            if (names.length > 0) await client.unlink(names)
          }
        }
        client.disconnect()
      },
    }
  },
  async nats(servers) {
    const { nats } = await load('drivers/nats')
    const { connect: connectToNats } = await import('@nats-io/transport-node')
    const { jetstreamManager } = await import('@nats-io/jetstream')
    const buckets = []
    const open = async () => {
      const driver = nats({ servers, bucket: buckets.at(-1), now })
      // What it can is known when the server has been asked.
      await driver.ping()
      return driver
    }
    return {
      subject: {
        open() {
          buckets.push(nextName())
          return open()
        },
        reopen: open,
        clock,
      },
      async remove() {
        const connection = await connectToNats({ servers })
        const manager = await jetstreamManager(connection)
        for (const bucket of buckets) await manager.streams.delete(`KV_${bucket}`).catch(() => undefined)
        await connection.close()
      },
    }
  },
  async keyv() {
    const { keyv } = await load('drivers/keyv')
    let storage
    const open = (more) => keyv(storage, { now, durable: 'crash', ...more })
    return {
      subject: {
        open() {
          storage = new Map()
          return open({ maxBody })
        },
        reopen: open,
        clock,
      },
    }
  },
}

async function inDirectories(name, toOptions, more = {}) {
  const { [name]: create } = await load(`drivers/${name}`)
  const home = mkdtempSync(join(tmpdir(), 'kumu-stores-'))
  let dir
  return {
    subject: {
      open() {
        dir = mkdtempSync(join(home, `${name}-`))
        return create(toOptions(dir, { maxBody }))
      },
      reopen: () => create(toOptions(dir)),
      clock,
      ...more,
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

function isListening(name, url) {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port) || ports[name], hostname)
    const say = (answer) => () => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2000, say(false)).on('connect', say(true)).on('error', say(false))
  })
}

/** What each test has come to, by its title: an outcome, or what failed. */
async function runSuite({ subject, remove }) {
  const results = new Map()
  try {
    for (const { section, title, run } of conformanceTests({ ...subject, patience: 30_000 })) {
      const result = await run().catch((error) => (error instanceof Error ? error : new Error(String(error))))
      results.set(`${section}\n${title}`, result)
    }
  } finally {
    await remove?.()
  }
  return results
}

/** What it says of a driver that could not be tested. */
const absent = []
const columns = new Map()
const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !(name in drivers))
if (unknown.length > 0) {
  console.error(`There is no driver ${unknown.join(', ')}: ${Object.keys(drivers).join(', ')}`)
  process.exit(2)
}
for (const name of Object.keys(drivers).filter((each) => chosen.length === 0 || chosen.includes(each))) {
  const url = services[name]
  if (url && !(await isListening(name, url))) {
    absent.push(`${name}: nobody listens at ${new URL(url).host}`)
    columns.set(name, new Map())
    continue
  }
  const began = performance.now()
  columns.set(name, await runSuite(await drivers[name](url)))
  console.error(`${name}: ${columns.get(name).size} tests in ${((performance.now() - began) / 1000).toFixed(1)} s`)
}

const words = { passed: 'ok', 'not declared': '–', 'not given': '·' }
const widths = [...columns.keys()].map((name) => Math.max(name.length, 'FAILED'.length))
const titleWidth = 119 - widths.reduce((sum, width) => sum + width + 1, 0)
const line = (title, cells) =>
  `${title.padEnd(titleWidth)} ${cells.map((cell, at) => cell.padStart(widths[at])).join(' ')}`.trimEnd()
const failures = []

console.log(line('', [...columns.keys()]))
let lastSection
for (const { section, title } of conformanceTests({ open: () => undefined })) {
  if (section !== lastSection) console.log(section)
  lastSection = section
  const cells = [...columns].map(([name, results]) => {
    const result = results.get(`${section}\n${title}`)
    if (!(result instanceof Error)) return words[result] ?? ''
    failures.push(`${name}, ${section}: ${title}\n  ${result.stack.split('\n').slice(0, 12).join('\n  ')}`)
    return 'FAILED'
  })
  const lines = wrap(title, titleWidth - 4)
  for (const above of lines.slice(0, -1)) console.log(`  ${above}`)
  console.log(line(`  ${lines.length > 1 ? '  ' : ''}${lines.at(-1)}`, cells))
}
const counted = (wanted) =>
  [...columns.values()].map((results) => (results.size > 0 ? String([...results.values()].filter(wanted).length) : ''))
console.log(
  line(
    'passed',
    counted((result) => result === 'passed'),
  ),
)
console.log(
  line(
    'failed',
    counted((result) => result instanceof Error),
  ),
)
console.log('\n– the driver does not declare the ability   · the driver has no such option (a log with an end)')
for (const each of absent) console.log(each)
for (const each of failures) console.log(`\nFAILED ${each}`)
process.exitCode = failures.length > 0 || (absent.length > 0 && process.env.KUMU_REQUIRE_SERVICES === '1') ? 1 : 0

/** A text in lines of a width. */
function wrap(text, width) {
  const lines = []
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}
