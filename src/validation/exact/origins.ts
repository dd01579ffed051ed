import type { Session } from 'node:inspector'

/** Tells where functions are written, without running them. */
export interface Origins {
  /** `script:line:column` of a function; nothing where the engine does not tell. */
  of(subject: unknown): string | undefined
  /** The same for a method of an object that a function has in its closure. */
  ofClosed(subject: unknown, variable: string, method: string): string | undefined
}

/**
 * Asks the engine where functions are written: no name and no text is proof of that, and calling a function to see where
 * it leads would run code of others.
 *
 * @returns what `ask` returns; nothing where the engine has no inspector (`--permission`, some builds)
 */
export function withOrigins<T>(ask: (origins: Origins) => T): T | undefined {
  const session = openSession()
  if (!session) return undefined
  try {
    return ask(createOrigins(session))
  } finally {
    session.disconnect()
  }
}

interface Seen {
  readonly objectId?: string
  readonly value?: { readonly scriptId?: string; readonly lineNumber?: number; readonly columnNumber?: number }
}

interface Member {
  readonly name: string
  readonly value?: Seen
}

interface Members {
  readonly result: readonly Member[]
  readonly internalProperties?: readonly Member[]
}

const slot = Symbol.for('kumu.origins.subject')
const objectGroup = 'kumu'

function openSession(): Session | undefined {
  try {
    const session = new (inspector().Session)()
    session.connect()
    return session
  } catch {
    return undefined
  }
}

function inspector(): typeof import('node:inspector') & { [slot]?: unknown } {
  return process.getBuiltinModule('node:inspector')
}

function createOrigins(session: Session): Origins {
  function post<T>(method: string, params: object): T | undefined {
    let answer: T | undefined
    // The session of one's own thread answers before `post` returns.
    session.post(method, params, (error, result) => {
      if (!error) answer = result as T
    })
    return answer
  }

  function membersOf(seen: Seen | undefined): Members | undefined {
    return seen?.objectId === undefined
      ? undefined
      : post<Members>('Runtime.getProperties', { objectId: seen.objectId, ownProperties: true })
  }

  function locationOf(seen: Seen | undefined): string | undefined {
    const at = internal(membersOf(seen), '[[FunctionLocation]]')?.value
    return at && `${at.scriptId}:${at.lineNumber}:${at.columnNumber}`
  }

  function look(subject: unknown): Seen | undefined {
    const shelf = inspector()
    shelf[slot] = subject
    const expression = `process.getBuiltinModule('node:inspector')[Symbol.for('${slot.description}')]`
    const answer = post<{ readonly result?: Seen }>('Runtime.evaluate', { expression, objectGroup, silent: true })
    delete shelf[slot]
    return answer?.result
  }

  function release<T>(found: T): T {
    post('Runtime.releaseObjectGroup', { objectGroup })
    return found
  }

  function of(subject: unknown): string | undefined {
    return release(locationOf(look(subject)))
  }

  function ofClosed(subject: unknown, variable: string, method: string): string | undefined {
    const scopes = membersOf(internal(membersOf(look(subject)), '[[Scopes]]'))
    // The innermost scope alone: the outermost is the global one, whose listing would be long.
    const closure = membersOf(scopes?.result[0]?.value)
    const object = membersOf(named(closure?.result, variable))
    return release(locationOf(named(object?.result, method)))
  }

  return { of, ofClosed }
}

function internal(members: Members | undefined, name: string): Seen | undefined {
  return named(members?.internalProperties, name)
}

function named(members: readonly Member[] | undefined, name: string): Seen | undefined {
  return members?.find((member) => member.name === name)?.value
}
