/**
 * Whether a class or an ancestor of it has any decorator of class-transformer.
 *
 * Its storage tells the facts of one property only; which properties have any is in the maps behind it.
 *
 * @param storage the storage of one copy of class-transformer, whichever
 */
export function isDecorated(target: unknown, storage: object): boolean {
  const maps = ['_typeMetadatas', '_transformMetadatas', '_exposeMetadatas', '_excludeMetadatas']
    .map((name) => (storage as Record<string, unknown>)[name])
    .filter((map): map is ReadonlyMap<unknown, unknown> => map instanceof Map)
  for (let each = target; typeof each === 'function'; each = Object.getPrototypeOf(each) as unknown) {
    if (maps.some((map) => map.has(each))) return true
  }
  return false
}
