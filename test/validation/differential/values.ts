import { List } from './classes'

// One function for all sides: it is compared by identity.
function settleAtOnce(resolve: (value: unknown) => void): void {
  resolve('a')
}

type Described = { readonly $: string } & Record<string, unknown>

/** Makes the value that a description tells of. */
export function makeValue(described: unknown, child: new () => object): unknown {
  if (typeof described !== 'object' || described === null) return described
  const { $: kind, ...rest } = described as Described
  const items = (rest['items'] as unknown[] | undefined)?.map((item) => makeValue(item, child)) ?? []
  if (kind === 'list') return items
  if (kind === 'set') return new Set(items)
  if (kind === 'map') return new Map(items.map((item, index) => [index === 1 ? 'size' : `k${index}`, item]))
  if (kind === 'holes') return Object.assign(new Array<unknown>(items.length + 1), items)
  if (kind === 'record') return makeRecord(rest, child)
  if (kind === 'promise') return makePromise(makeValue(rest['settled'], child))
  return makeOdd(kind, rest, child)
}

function makeRecord({ entries, tag }: Record<string, unknown>, child: new () => object): unknown {
  const made: Record<string, unknown> = {}
  for (const [key, value] of entries as [string, unknown][]) {
    // As JSON.parse has it: an own member of that name.
    Object.defineProperty(made, key, {
      value: makeValue(value, child),
      configurable: true,
      enumerable: true,
      writable: true,
    })
  }
  if (tag !== undefined) made['tag'] = tag
  return made
}

function makePromise(settled: unknown): Promise<unknown> {
  return Promise.resolve(settled)
}

function makeOdd(kind: string, { at }: Record<string, unknown>, child: new () => object): unknown {
  if (kind === 'date') return new Date(at as number)
  if (kind === 'instance') return new child()
  if (kind === 'null-prototype') return Object.assign(Object.create(null) as object, { a: 'x' })
  if (kind === 'array-like') return Object.setPrototypeOf({ a: 1 }, Array.prototype)
  if (kind === 'buffer') return Buffer.from('ab')
  if (kind === 'regexp') return /x/g
  if (kind === 'thenable') return { then: settleAtOnce, a: 'b' }
  return new List()
}
