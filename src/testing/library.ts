import Module from 'node:module'

/** The library that makes requests of a handler without a server; it is optional. */
export type LightMyRequest = typeof import('light-my-request')

/** @throws Error where light-my-request is not installed */
export function loadLightMyRequest(): LightMyRequest {
  try {
    return require('light-my-request') as LightMyRequest
  } catch (cause) {
    const { code } = (cause ?? {}) as { readonly code?: unknown }
    if (code === 'ERR_REQUIRE_ESM') return loadByNode()
    if (code !== 'MODULE_NOT_FOUND') throw cause
    throw new Error('kumu/testing needs the package light-my-request: npm install --save-dev light-my-request', {
      cause,
    })
  }
}

/**
 * The library needs a package of ES modules. Node's `require` takes them, that of jest does not before Node 24.9; what
 * jest hands out as `node:module` has the loader of Node.
 */
function loadByNode(): LightMyRequest {
  const { _load: load } = Module as unknown as {
    readonly _load: (file: string, parent: null, isMain: boolean) => unknown
  }
  return load(require.resolve('light-my-request'), null, false) as LightMyRequest
}
