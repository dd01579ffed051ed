import { runGuard } from './modes/guard'
import { runMeasure } from './modes/measure'
import { runMemory } from './modes/memory'
import { runMicro } from './modes/micro'
import { runMillion } from './modes/million'
import { runPath } from './modes/path'
import { runStores } from './modes/stores'
import { parseOptions } from './options'

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  switch (options.mode) {
    case 'measure':
      return runMeasure(options)
    case 'guard':
      return runGuard()
    case 'micro':
      return runMicro()
    case 'path':
      return runPath(options)
    case 'memory':
      return runMemory(options)
    case 'stores':
      return runStores(options)
    case 'million':
      return runMillion(options)
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
