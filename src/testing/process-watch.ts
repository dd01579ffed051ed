/** What went wrong beside the answers since it was last asked. */
export interface ProcessWatch {
  take(): string[]
  end(): void
}

const prototypes: ReadonlyArray<readonly [string, object]> = [
  ['Object', Object.prototype],
  ['Array', Array.prototype],
  ['Function', Function.prototype],
  ['String', String.prototype],
]

/** Watches for errors that nobody catches, and for prototypes that change; changes are undone, so that each is told once. */
export function watchProcess(): ProcessWatch {
  const problems: string[] = []
  const before = prototypes.map(([name, prototype]) => ({ name, prototype, known: membersOf(prototype) }))
  const rejected = (reason: unknown): void => void problems.push(`a rejection that nobody handles: ${String(reason)}`)
  const thrown = (error: unknown): void => void problems.push(`an exception that nobody catches: ${String(error)}`)
  process.on('unhandledRejection', rejected)
  process.on('uncaughtException', thrown)

  function checkPrototypes(): void {
    for (const { name, prototype, known } of before) {
      for (const [key, descriptor] of membersOf(prototype)) {
        const old = known.get(key)
        if (old && old.value === descriptor.value && old.get === descriptor.get) continue
        problems.push(`${name}.prototype.${String(key)} has changed`)
        if (old) Object.defineProperty(prototype, key, old)
        else Reflect.deleteProperty(prototype, key)
      }
    }
  }

  return {
    take() {
      checkPrototypes()
      return problems.splice(0)
    },
    end() {
      process.off('unhandledRejection', rejected)
      process.off('uncaughtException', thrown)
    },
  }
}

function membersOf(prototype: object): ReadonlyMap<PropertyKey, PropertyDescriptor> {
  const keys = Reflect.ownKeys(prototype)
  return new Map(keys.map((key) => [key, Object.getOwnPropertyDescriptor(prototype, key)!]))
}
