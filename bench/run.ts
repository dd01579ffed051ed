import { runGuard } from './modes/guard'
import { runMeasure } from './modes/measure'
import { runMemory } from './modes/memory'
import { runMicro } from './modes/micro'
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
    case 'memory':
      return runMemory(options)
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
