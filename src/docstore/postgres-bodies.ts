import { chunked, extent, toStream } from './body'
import type { Doc, GetOptions, Meta } from './driver'
import type { PostgresPool } from './postgres-pool'
import type { PostgresLayout } from './postgres-schema'
import { takesPart, toTokens } from './query-tokens'

/** Bytes of a body that lies in the row of its document. A larger one lies in chunks. */
export const inlineLength = 64 * 1024

/** Bytes of a chunk: every one but the last of a body has this length. */
export const chunkLength = 256 * 1024

/** A body that is ready to become a document's. */
export interface ReadyBody {
  readonly size: number
  /** The whole of a small one. */
  readonly content: Uint8Array | null
  /** The number of the chunks of a large one. */
  readonly body: string | null
  readonly tokens: string | null
}

/**
 * Bodies in chunks, under a number that is never used twice. What no document has, or no longer has, is noted as unused and
 * removed after a time: until then somebody may be reading it, who holds no connection meanwhile.
 */
export class PostgresBodies {
  readonly #pool: PostgresPool

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  /** Writes a body ahead of its document; a small one stays in memory. */
  async stage(
    layout: PostgresLayout,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    type: string,
  ): Promise<ReadyBody> {
    if (source instanceof Uint8Array && source.byteLength <= inlineLength) return toInline(source, type)
    let body: string | null = null
    let size = 0
    let number = 0
    let kept: Uint8Array[] = []
    try {
      for await (const chunk of chunked(source, chunkLength)) {
        size += chunk.byteLength
        if (takesPart(type, size)) kept.push(chunk)
        else kept = []
        // Only the last chunk is shorter, so a first short one is the whole.
        if (number === 0 && size <= inlineLength) return toInline(chunk, type)
        body ??= await this.#begin(layout)
        await this.#writeChunk(layout, body, number, chunk)
        number++
      }
    } catch (error) {
      if (body !== null) await this.discard(layout, body)
      throw error
    }
    if (body === null) return toInline(new Uint8Array(0), type)
    const whole = kept.length > 0 ? Buffer.concat(kept) : undefined
    return { size, content: null, body, tokens: whole ? toTokens(type, whole) : null }
  }

  /** Removes a body that no document has. What fails is left for the sweep. */
  async discard({ unused, chunks }: PostgresLayout, body: string): Promise<void> {
    const text = `WITH gone AS (DELETE FROM ${unused} WHERE body = $1 RETURNING body)
      DELETE FROM ${chunks} c USING gone WHERE c.body = gone.body`
    await this.#pool.query(text, [body]).catch(() => undefined)
  }

  /** @param age milliseconds for which they have been unused */
  async sweep({ unused, chunks }: PostgresLayout, age: number): Promise<void> {
    const text = `WITH gone AS (
      DELETE FROM ${unused} WHERE since < clock_timestamp() - $1::bigint * interval '1 millisecond' RETURNING body)
      DELETE FROM ${chunks} c USING gone WHERE c.body = gone.body`
    await this.#pool.query(text, [age])
  }

  /** A document over chunks, or over a part of them. */
  toDoc(layout: PostgresLayout, meta: Meta, body: string, range: GetOptions['range']): Doc {
    const read = (position: number, end: number): Promise<Uint8Array> => this.#readChunk(layout, body, position, end)
    const { start, end } = extent(meta.size, range)
    if (start === end) return { ...meta, body: new Uint8Array(0) }
    return { ...meta, body: toStream({ start, end }, read, () => Promise.resolve()) }
  }

  /** All of it. */
  async whole({ chunks }: PostgresLayout, body: string): Promise<Uint8Array> {
    const rows = await this.#pool.query(`SELECT bytes FROM ${chunks} WHERE body = $1 ORDER BY number`, [body])
    return Buffer.concat(rows.map(({ bytes }) => bytes as Uint8Array))
  }

  async #begin({ unused, bodies }: PostgresLayout): Promise<string> {
    const text = `INSERT INTO ${unused} (body) VALUES (nextval('${bodies}')) RETURNING body`
    const [row] = await this.#pool.query(text, [], { prepared: true, writes: true })
    return row!.body as string
  }

  async #writeChunk(
    { unused, chunks }: PostgresLayout,
    body: string,
    number: number,
    bytes: Uint8Array,
  ): Promise<void> {
    const text = `WITH going_on AS (UPDATE ${unused} SET since = clock_timestamp() WHERE body = $1 RETURNING body)
      INSERT INTO ${chunks} (body, number, bytes) SELECT body, $2::integer, $3::bytea FROM going_on RETURNING number`
    const rows = await this.#pool.query(text, [body, number, bytes], { prepared: true, writes: true })
    if (rows.length === 0) {
      throw new Error('The write was held up for too long: what there was of its body has been removed')
    }
  }

  async #readChunk({ chunks }: PostgresLayout, body: string, position: number, end: number): Promise<Uint8Array> {
    const number = Math.floor(position / chunkLength)
    const from = number * chunkLength
    const to = Math.min(end - from, chunkLength)
    const text = `SELECT substring(bytes FROM $3::integer FOR $4::integer) AS bytes FROM ${chunks} WHERE body = $1 AND number = $2`
    const values = [body, number, position - from + 1, to - (position - from)]
    const [row] = await this.#pool.query(text, values, { prepared: true })
    if (!row) throw new Error('The body was replaced, and read too slowly to be kept any longer')
    return row.bytes as Uint8Array
  }
}

function toInline(content: Uint8Array, type: string): ReadyBody {
  return { size: content.byteLength, content, body: null, tokens: toTokens(type, content) }
}
