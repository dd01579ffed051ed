import { ConfigurationError } from '../errors'
import { isDecorated } from './decorated'
import { transformer, validator } from './lazy'

/** The modules that a process has loaded, by path: `require.cache`, or as much of it as is needed. */
export type LoadedModules = Readonly<Record<string, { readonly exports?: unknown } | undefined>>

type Ask = (target: object) => boolean

/**
 * Refuses a class whose rules were written into another copy of a library than the one that would read them: its
 * validation would be silently empty.
 *
 * Copies that no class of ours speaks to do no harm, and copies of class-validator that share one storage are one.
 *
 * @param where the parameter
 * @param loaded what the process has loaded; default `require.cache`
 * @throws ConfigurationError with the paths of both copies
 */
export function refuseForeignCopies(where: string, target: object, loaded: LoadedModules = require.cache): void {
  const { validatorPath } = validator()
  const { transformerPath } = transformer()
  for (const path of Object.keys(loaded)) {
    const name = /[\\/](class-validator|class-transformer)[\\/](?:cjs[\\/])?(?:index|storage)\.js$/.exec(path)?.[1]
    if (!name) continue
    const ours = name === 'class-validator' ? validatorPath : transformerPath
    const knows = name === 'class-validator' ? askValidator(loaded[path]) : askTransformer(loaded[path])
    if (!knows?.(target)) continue
    throw new ConfigurationError(
      where,
      `the class is decorated by another copy of ${name} (${path}) than the one that validates (${ours})`,
      `Install one copy: run "npm ls ${name}" and then "npm dedupe"`,
    )
  }
}

function askValidator(module: { readonly exports?: unknown } | undefined): Ask | undefined {
  const exported = module?.exports as Partial<Pick<typeof import('./validator'), 'ruleStorage'>> & {
    readonly getMetadataStorage?: () => typeof import('./validator').ruleStorage
  }
  const storage = typeof exported?.getMetadataStorage === 'function' ? exported.getMetadataStorage() : undefined
  if (!storage || storage === validator().ruleStorage) return undefined
  return (target) => storage.getTargetValidationMetadatas(target as never, '', true, false).length > 0
}

function askTransformer(module: { readonly exports?: unknown } | undefined): Ask | undefined {
  const exported = module?.exports as { readonly defaultMetadataStorage?: unknown } | undefined
  const storage = exported?.defaultMetadataStorage
  if (typeof storage !== 'object' || storage === null || storage === transformer().shapeStorage) return undefined
  return (target) => isDecorated(target, storage)
}
