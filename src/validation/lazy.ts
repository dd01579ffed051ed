type ValidatorModule = typeof import('./validator')
type TransformerModule = typeof import('./transformer')

let loadedValidator: ValidatorModule | undefined
let loadedTransformer: TransformerModule | undefined

// Loading class-validator takes some 70 ms: an application without a class parameter must not pay for it.

/** class-validator, loaded at the first call. */
export function validator(): ValidatorModule {
  return (loadedValidator ??= require('./validator') as ValidatorModule)
}

/** class-transformer, loaded at the first call. */
export function transformer(): TransformerModule {
  return (loadedTransformer ??= require('./transformer') as TransformerModule)
}

/** class-transformer where anybody has loaded it: without it no class can carry its metadata. */
export function transformerIfLoaded(): TransformerModule | undefined {
  if (loadedTransformer) return loadedTransformer
  transformerPath ??= resolveTransformer()
  return transformerPath in require.cache ? transformer() : undefined
}

let transformerPath: string | undefined

function resolveTransformer(): string {
  try {
    return require.resolve('class-transformer')
  } catch {
    return ''
  }
}
