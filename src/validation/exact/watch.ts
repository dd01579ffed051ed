import { transformer, validator } from '../lazy'

type Watched = Record<string, unknown>

interface Watch {
  changes: number
  readonly maps: readonly ReadonlyMap<unknown, unknown>[]
}

let rules: Watch | undefined
let shapes: Watch | undefined

// A map's size tells of what libraries write past the storage's methods; no application has a million classes.
const oneChange = 1_000_000

/** A number that changes with every rule that is added to class-validator's storage. */
export function rulesStamp(): number {
  rules ??= watch(validator().ruleStorage, ['addValidationMetadata', 'addConstraintMetadata'], ['validationMetadatas'])
  return stampOf(rules)
}

/** A number that changes with everything that is added to class-transformer's storage, or cleared from it. */
export function shapesStamp(): number {
  shapes ??= watch(
    transformer().shapeStorage,
    ['addTypeMetadata', 'addTransformMetadata', 'addExposeMetadata', 'addExcludeMetadata', 'clear'],
    ['_typeMetadatas', '_transformMetadatas', '_exposeMetadatas', '_excludeMetadatas'],
  )
  return stampOf(shapes)
}

function stampOf({ changes, maps }: Watch): number {
  let stamp = changes * oneChange
  for (let index = 0; index < maps.length; index++) stamp += maps[index]!.size
  return stamp
}

function watch(storage: object, methods: readonly string[], mapNames: readonly string[]): Watch {
  const watched = storage as Watched
  const watching: Watch = {
    changes: 0,
    maps: mapNames.map((name) => watched[name]).filter((map) => map instanceof Map),
  }
  for (const method of methods) {
    const original = watched[method] as (...args: unknown[]) => unknown
    const value = function counted(this: unknown, ...args: unknown[]): unknown {
      try {
        return original.apply(this, args)
      } finally {
        watching.changes += 1
      }
    }
    Object.defineProperty(storage, method, { value, configurable: true, writable: true })
  }
  return watching
}
