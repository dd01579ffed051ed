import { randomBytes } from 'node:crypto'

/**
 * Makes a source of UUIDs of version 7 (RFC 9562 §5.7, §6.2 method 1): each is greater than the one before it, by a counter
 * of 12 bits within one millisecond, and also where the clock is set back.
 *
 * @param now the clock, in milliseconds since the epoch
 *
 * @example
 * const next = createUuids()
 * next() < next()   // true
 */
export function createUuids(now: () => number = Date.now): () => string {
  let last = -1
  let counter = 0
  return function nextUuid() {
    const bytes = randomBytes(16)
    const time = now()
    if (time <= last && counter < 0xfff) {
      counter++
    } else {
      last = Math.max(time, last + 1)
      // It begins in the lower half: few milliseconds are so busy that it runs over.
      counter = bytes.readUInt16BE(6) & 0x7ff
    }
    bytes.writeUIntBE(last, 0, 6)
    bytes.writeUInt16BE(0x7000 | counter, 6)
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
}
