/** Whether this is an error with one of these codes. By its shape: an error of another realm is no `instanceof Error`. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && codes.includes(code)
}
