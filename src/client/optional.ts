/**
 * Loads an optional package.
 *
 * @param name as it is installed; no literal where it is loaded, so that bundlers for browsers leave it alone
 * @param file what of it is loaded
 * @param who needs it
 * @throws Error that says what to install
 */
export function loadOptional(name: string, file: string, who: string): unknown {
  try {
    return require(file) as unknown
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause
    throw new Error(`${who} needs the package ${name}: npm install ${name}`, { cause })
  }
}
