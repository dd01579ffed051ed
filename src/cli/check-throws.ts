import * as errors from '../errors'
import { refusalsOf, statusOfClass, type RefusalSettings } from '../openapi/refusals'
import type { RoutePlan } from '../route/plan'
import type { AbstractConstructor } from '../types'
import type { Finding } from './finding'
import type { Route } from './load-app'
import { readExports, type Origin } from './origins'

/**
 * Errors that the text of a method throws and its documents do not name: Kumu's, and those that modules of the application
 * export. Only what stands in the method itself is seen: what it calls may throw more.
 *
 * @param origins the methods behind the plans
 */
export function findUndocumented(routes: readonly Route[], origins: ReadonlyMap<RoutePlan, Origin>): Finding[] {
  const classes = errorClasses()
  return routes.flatMap(({ plan, router }) => {
    const origin = origins.get(plan)
    const method: unknown = origin && (origin.target.prototype as Record<string, unknown>)[origin.method]
    if (typeof method !== 'function' || plan.doc.hidden) return []
    const settings = toRefusalSettings(router)
    const conditional = plan.requireMatch === true || plan.doc.conditional === true
    const documented = refusalsOf(plan, conditional, settings)
    return [...thrownBy(Function.prototype.toString.call(method))].flatMap((name) => {
      const Class = classes.get(name)
      const status = Class ? statusOfClass(Class, settings) : 500
      return documented.has(status) ? [] : [toFinding(plan.id, name, status)]
    })
  })
}

/** Classes of errors by the names under which they are imported. */
function errorClasses(): ReadonlyMap<string, AbstractConstructor> {
  const classes = new Map<string, AbstractConstructor>()
  for (const exported of readExports().keys()) {
    const Class = exported as AbstractConstructor
    if (Class.prototype instanceof Error) classes.set(Class.name, Class)
  }
  for (const [name, Class] of Object.entries(errors)) {
    if (Class.prototype instanceof errors.HttpError) classes.set(name, Class as AbstractConstructor)
  }
  return classes
}

function toRefusalSettings({ init }: Route['router']): RefusalSettings {
  const { bodyStatus, negotiation, errors: answered } = init.settings
  return {
    bodyStatus,
    negotiation,
    statusOf: (error) => answered.status.map((rule) => rule(error)).find((status) => status !== undefined),
  }
}

function toFinding(where: string, name: string, status: number): Finding {
  return {
    code: 'undocumented-error',
    level: 'warning',
    where,
    what: `it throws ${name}, and its documents know of no ${status}`,
    cure: `Write @Throws(${name}) on the method`,
  }
}

// Comments, texts and regular expressions throw nothing. A text ends with its line, so that a stray quote does little harm.
const silent = new RegExp(
  [
    /\/\*[^]*?\*\/|\/\/[^\n]*/,
    /(?<=[=(,:!&|?{};[\n]\s*|\breturn\s+)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//,
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
)

/** However the compiler writes it: `throw new NotFound(`, `throw new kumu_1.NotFound(`. */
const thrown = /\bthrow\s+new\s+(?:[\w$]+\.)*([\w$]+)/g

/** The names of what a function's text throws, each once. */
function thrownBy(text: string): Set<string> {
  return new Set([...text.replace(silent, '').matchAll(thrown)].map(([, name = '']) => name))
}
