/** Names to keep, each with the names to keep below it; none below: all of it. */
type FieldTree = Map<string, FieldTree | undefined>

/**
 * Parses a list of fields.
 *
 * @param text names with commas between, dotted ones reach into members
 * @returns the names, each once
 *
 * @example
 * parseFields('id,address.city') // ['id', 'address.city']
 */
export function parseFields(text: string): readonly string[] {
  if (text === '') return []
  const names = new Set<string>()
  for (const part of text.split(',')) {
    const name = part.trim()
    if (name !== '' && !name.split('.').includes('__proto__')) names.add(name)
  }
  return [...names]
}

const trees = new WeakMap<readonly string[], FieldTree>()

/**
 * Picks fields out of plain data; lists are gone through, names that are not there are passed over.
 *
 * @param value plain data
 * @param fields names as {@link parseFields} returns them; none: everything
 *
 * @example
 * project({ id: 1, address: { city: 'Kyoto', zip: '600' } }, ['address.city']) // { address: { city: 'Kyoto' } }
 */
export function project(value: unknown, fields: readonly string[]): unknown {
  if (fields.length === 0) return value
  let tree = trees.get(fields)
  if (!tree) trees.set(fields, (tree = toTree(fields)))
  return pick(value, tree)
}

function toTree(fields: readonly string[]): FieldTree {
  const root: FieldTree = new Map()
  for (const field of fields) {
    const path = field.split('.')
    const leaf = path.pop()!
    let tree: FieldTree | undefined = root
    for (const name of path) {
      // A shorter name keeps all that lies below it.
      if (tree.has(name) && tree.get(name) === undefined) tree = undefined
      if (!tree) break
      const known: FieldTree = tree.get(name) ?? new Map<string, FieldTree | undefined>()
      tree.set(name, known)
      tree = known
    }
    tree?.set(leaf, undefined)
  }
  return root
}

function pick(value: unknown, tree: FieldTree): unknown {
  if (Array.isArray(value)) return value.map((element) => pick(element, tree))
  if (!isRecord(value)) return value
  const picked: Record<string, unknown> = {}
  for (const [name, below] of tree) {
    if (name === '__proto__' || !Object.hasOwn(value, name)) continue
    const member = value[name]
    if (below === undefined) picked[name] = member
    else if (Array.isArray(member) || isRecord(member)) picked[name] = pick(member, below)
  }
  return picked
}

function isRecord(value: unknown): value is Record<string, unknown> {
  // Dates, buffers and their kin say themselves how they are written: they have no members to pick.
  return typeof value === 'object' && value !== null && !('toJSON' in value && typeof value.toJSON === 'function')
}
