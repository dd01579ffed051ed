/** The writes of a crash test: the number of a write says all about it. */
export type Write =
  | { readonly op: 'put'; readonly key: string; readonly size: number; readonly streamed: boolean }
  | { readonly op: 'delete'; readonly key: string }

export const historyKeys = ['k0', 'k1', 'k2', 'k3'] as const

export function writeOf(number: number): Write {
  const key = historyKeys[number % 4]!
  if (number % 9 === 8) return { op: 'delete', key }
  const large = number % 11 === 10
  return {
    op: 'put',
    key,
    size: large ? 2_500_000 : 1 + ((number * 7919) % 60_000),
    streamed: large || number % 5 === 0,
  }
}

export function contentOf(number: number, size: number): Buffer {
  return Buffer.alloc(size, `${number};`)
}
