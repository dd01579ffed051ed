import type { Constructor } from '../../types'
import { isSupported } from '../exact/supported'
import type { Findings } from '../findings'
import { createAccept, type Accept } from './closures'
import { generateAccept } from './code'
import { createExplain, type Explain } from './explain'
import { planClass, type Plan, type PlanSettings } from './plan'
import { watchClasses } from './watch'

/** The short way of one class, for decoded JSON. */
export interface Compiled {
  /** A checked instance of an object; nothing where it has to go the long way, for whatever reason. */
  accept(value: unknown): object | undefined
  /** The same for a list of objects. */
  acceptList(value: unknown): object[] | undefined
  /**
   * Finds what is wrong with an object, or a list of them.
   *
   * @param whole what sentences call the value
   * @returns `false` where the long way has to tell: the findings are worthless then
   */
  explain(value: unknown, list: boolean, findings: Findings, whole: string): boolean
}

/** Gives the short way of a class, made at its first request; nothing where it has none. */
export type Compiler = (target: Constructor) => Compiled | undefined

/** Compiles classes whose every rule is proven to be the libraries' own. */
export function createCompiler(settings: PlanSettings): Compiler {
  const known = new Map<Constructor, Compiled | null>()
  return function compile(target) {
    const found = known.get(target)
    if (found !== undefined) return found ?? undefined
    const compiled = isSupported() ? compileClass(target, settings) : undefined
    known.set(target, compiled ?? null)
    return compiled
  }
}

function compileClass(target: Constructor, settings: PlanSettings): Compiled | undefined {
  const plan = planClass(target, settings)
  if (!plan) return undefined
  const isIntact = watchClasses(plan.classes.map((each) => each.class))
  const accept = carryOut(plan)
  let explain: Explain | undefined
  return {
    accept(value) {
      if (!isIntact()) return undefined
      try {
        return accept(value, 0)
      } catch {
        // What a class or a rule throws, the long way meets again.
        return undefined
      }
    },
    acceptList(value) {
      if (!isIntact() || !Array.isArray(value)) return undefined
      try {
        return acceptEach(value, accept)
      } catch {
        return undefined
      }
    },
    explain(value, list, findings, whole) {
      if (!isIntact()) return false
      explain ??= createExplain(plan)
      return explain(value, list, findings, whole)
    },
  }
}

function acceptEach(values: readonly unknown[], accept: Accept): object[] | undefined {
  const instances: object[] = []
  for (let index = 0; index < values.length; index++) {
    const instance = accept(values[index], 1)
    if (!instance) return undefined
    instances.push(instance)
  }
  return instances
}

function carryOut(plan: Plan): Accept {
  try {
    return generateAccept(plan)
  } catch {
    // A process that may not make code of strings (a content security policy of its own, say).
    return createAccept(plan)
  }
}
