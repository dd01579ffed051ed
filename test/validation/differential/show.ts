/**
 * A text with everything of a value that can be told from outside: classes, the order of keys, what is below.
 *
 * @param promises takes the promises that are met: what they come to must be asked of them
 */
export function show(
  value: unknown,
  promises: Promise<unknown>[] = [],
  above: readonly unknown[] = [],
  deepest = 12,
): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'function') return `[Function ${value.name}]`
  if (typeof value !== 'object' || value === null) return String(value)
  if (above.includes(value)) return '[Circular]'
  if (above.length > deepest) return '[Deep]'
  const below = [...above, value]
  const each = (item: unknown): string => show(item, promises, below, deepest)
  if (value instanceof Promise) {
    promises.push(value)
    return 'Promise'
  }
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (value instanceof RegExp) return `${String(value)} at ${value.lastIndex}`
  if (Buffer.isBuffer(value)) return `Buffer(${value.toString('hex')})`
  const members = Reflect.ownKeys(value)
    .filter((key) => key !== 'length' || !Array.isArray(value))
    .map((key) => `${String(key)}: ${showMember(Object.getOwnPropertyDescriptor(value, key)!, each)}`)
  if (Array.isArray(value)) members.unshift(`length ${value.length}`)
  if (value instanceof Set) members.push(...[...(value as Set<unknown>)].map(each))
  if (value instanceof Map) {
    members.push(...[...(value as Map<unknown, unknown>)].map(([key, item]) => `${each(key)} => ${each(item)}`))
  }
  return `${className(value)} { ${members.join(', ')} }`
}

function showMember(descriptor: PropertyDescriptor, each: (value: unknown) => string): string {
  if (!('value' in descriptor)) return 'accessor'
  return `${descriptor.enumerable ? '' : 'hidden '}${each(descriptor.value)}`
}

function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: { readonly name?: unknown } } | null
  return prototype === null ? 'null' : String(prototype.constructor?.name)
}
