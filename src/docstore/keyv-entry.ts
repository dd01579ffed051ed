import type { Meta } from './driver'

/** A document as it was found in a storage of Keyv's. */
export interface KeyvEntry {
  readonly meta: Meta
  readonly toBytes: () => Buffer
}

/** Text: what every storage keeps as it is. */
export function formatEntry({ key: _, ...meta }: Meta, base64: string): string {
  return JSON.stringify({ ...meta, body: base64 })
}

/** Nothing where it is no text of ours: others may keep what they like under such a name. */
export function parseEntry(key: string, value: unknown): KeyvEntry | undefined {
  const fields = typeof value === 'string' ? parseObject(value) : undefined
  if (!fields) return undefined
  const { rev, type, size, modified, expires, body } = fields
  if (typeof rev !== 'string' || typeof type !== 'string' || typeof body !== 'string') return undefined
  if (typeof size !== 'number' || typeof modified !== 'number') return undefined
  const meta = { key, rev, type, size, modified }
  return {
    meta: typeof expires === 'number' ? { ...meta, expires } : meta,
    toBytes: () => Buffer.from(body, 'base64'),
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
