import { createHash, randomBytes } from 'node:crypto'
import type { Meta, Rev } from './driver'
import { type OpenFile, readAll } from './file-system'

const revisionRule = /^[0-9a-z]{9}[0-9a-f]{16}$/

/**
 * A revision that no process made before: the time, so that they are roughly in order, and 64 random bits. It is a file
 * name too: lower case, for disks that do not tell cases apart.
 */
export function createRevision(): Rev {
  return Date.now().toString(36).padStart(9, '0') + randomBytes(8).toString('hex')
}

/** Whether a file name is a revision. Anything else in a directory is foreign and left alone. */
export function isRevision(name: string): boolean {
  return revisionRule.test(name)
}

// 255 is the longest name of common file systems; a longer escaped key is hashed.
const longestName = 255

/** The directory name of a key: prefixed (no `con` or `aux` of Windows), upper case escaped, hashed where it gets too long. */
export function toName(key: string): string {
  const escaped = `k-${key.replace(/[A-Z]/g, (letter) => `=${letter.toLowerCase()}`)}`
  if (escaped.length <= longestName) return escaped
  return `h-${createHash('sha256').update(key).digest('hex')}`
}

/** The key of a directory name; `hashed` where the name does not tell it; nothing where the name is foreign. */
export function fromName(name: string): { readonly key: string } | 'hashed' | undefined {
  if (/^h-[0-9a-f]{64}$/.test(name)) return 'hashed'
  if (!/^k-(?:[a-z0-9_-]|=[a-z])+$/.test(name)) return undefined
  return { key: name.slice(2).replace(/=([a-z])/g, (_, letter: string) => letter.toUpperCase()) }
}

const magic = Buffer.from('KDS1', 'ascii')
const tailLength = 4 + magic.byteLength
// Enough for the tail with the longest key and type, every character of it escaped.
const longestTail = 2048

/** Bytes of a body that is read and written together with what stands behind it. */
export const smallBody = 64 * 1024

/** Bytes that are read before it is known how many there are. */
const firstRead = 4096

/** What stands behind the body in its file: JSON, its length in four bytes (big endian), `KDS1`. */
export function formatTail(meta: Omit<Meta, 'rev' | 'size'>): Uint8Array {
  const { key, type, modified, expires } = meta
  const facts = Buffer.from(JSON.stringify({ key, type, modified, expires }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(facts.byteLength)
  return Buffer.concat([facts, length, magic])
}

/** The metadata of a body file, and as much of the end of its body as came along in the one read that it takes. */
export async function readTail(
  file: OpenFile,
  rev: Rev,
  withBody: boolean,
): Promise<{ readonly meta: Meta; readonly body: Uint8Array }> {
  const first = Buffer.allocUnsafe(firstRead)
  const { bytesRead } = await file.read(first, 0)
  // Only the end of a file cuts a read short; what has no tail there goes on to be looked at closely.
  if (bytesRead < firstRead) {
    const whole = parseTail(first.subarray(0, bytesRead), bytesRead, rev)
    if (whole) return whole
  }
  const { size: fileSize } = await file.stat()
  const read = await readAll(file, Math.max(0, fileSize - (withBody ? smallBody : longestTail)), fileSize)
  const end = parseTail(Buffer.from(read.buffer, read.byteOffset, read.byteLength), fileSize, rev)
  if (!end) throw new Error(`The document of revision ${rev} is damaged`)
  return end
}

/** What the end of a file says; nothing where it says nothing. */
function parseTail(
  bytes: Buffer,
  fileSize: number,
  rev: Rev,
): { readonly meta: Meta; readonly body: Uint8Array } | undefined {
  const end = bytes.byteLength - tailLength
  const start = end < 0 ? -1 : end - bytes.readUInt32BE(end)
  if (start < 0 || !bytes.subarray(-magic.byteLength).equals(magic)) return undefined
  const facts = JSON.parse(bytes.toString('utf8', start, end)) as Omit<Meta, 'rev' | 'size'>
  const size = fileSize - (bytes.byteLength - start)
  return { meta: { ...facts, rev, size }, body: bytes.subarray(0, start) }
}
