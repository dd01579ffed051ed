/** A path below a prefix: `/` adds nothing to one. */
export function joinPaths(prefix = '', path: string): string {
  const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  return path === '/' && base !== '' ? base : base + path
}
