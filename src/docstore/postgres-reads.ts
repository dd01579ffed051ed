import type { Doc, GetOptions, Meta } from './driver'
import { Gathering, type Outcome } from './gathering'
import type { PostgresBodies } from './postgres-bodies'
import { metaColumns, toMeta } from './postgres-calls'
import type { PostgresPool } from './postgres-pool'
import { clockOf, type PostgresMoment } from './postgres-schema'

/** Documents by their keys. Those that are wanted whole are gathered: one question for all that wait for one another. */
export class PostgresReads {
  readonly #pool: PostgresPool
  readonly #bodies: PostgresBodies
  readonly #moment: PostgresMoment
  readonly #gathering: Gathering<string, Doc | undefined>

  constructor(pool: PostgresPool, bodies: PostgresBodies, moment: PostgresMoment) {
    this.#pool = pool
    this.#bodies = bodies
    this.#moment = moment
    // A row is 64 KiB at the most.
    this.#gathering = new Gathering({ lanes: 4, most: 32 }, (keys) => this.#readGroup(keys))
  }

  get(key: string, body: boolean, range: GetOptions['range']): Promise<Doc | undefined> {
    return body && !range ? this.#gathering.call(key) : this.#readPart(key, body ? range : undefined)
  }

  async #readGroup(keys: readonly string[]): Promise<ReadonlyArray<Outcome<Doc | undefined>>> {
    const { layout, epoch } = await this.#moment.open()
    const text = `SELECT ${metaColumns}, body, content FROM ${layout.documents}
      WHERE key = ANY ($1) AND (expires IS NULL OR expires > ${clockOf('$2')})`
    const rows = await this.#pool.query(text, [keys, this.#moment.clock()], { prepared: true })
    const found = new Map(rows.map((row) => [row.key as string, row]))
    const given = new Set<string>()
    return keys.map((key) => {
      const row = found.get(key)
      if (!row) return { output: undefined }
      const meta = toMeta(epoch, row)
      if (row.body !== null) return { output: this.#bodies.toDoc(layout, meta, row.body as string, undefined) }
      const content = row.content as Buffer
      // Whoever asks for the same document gets bytes of their own.
      const body = given.has(key) ? Buffer.from(content) : content
      given.add(key)
      return { output: { ...meta, body } }
    })
  }

  /** The metadata, and a part of the body. */
  async #readPart(key: string, range: GetOptions['range']): Promise<Doc | undefined> {
    const { layout, epoch } = await this.#moment.open()
    const content = range ? ', substring(content FROM $3::bigint::integer FOR $4::bigint::integer) AS content' : ''
    const text = `SELECT ${metaColumns}, body${content} FROM ${layout.documents}
      WHERE key = $1 AND (expires IS NULL OR expires > ${clockOf('$2')})`
    // A small body ends long before these bounds, and the parameters of `substring` are small numbers.
    const bounds = range ? [Math.min(range[0], 1e9) + 1, Math.min(range[1] - range[0] + 1, 1e9)] : []
    const [row] = await this.#pool.query(text, [key, this.#moment.clock(), ...bounds], { prepared: true })
    if (!row) return undefined
    const meta: Meta = toMeta(epoch, row)
    if (!range) return { ...meta, body: new Uint8Array(0) }
    return row.body === null
      ? { ...meta, body: row.content as Uint8Array }
      : this.#bodies.toDoc(layout, meta, row.body as string, range)
  }
}
