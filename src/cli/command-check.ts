import type { RouterOptions } from '../app'
import { ConfigurationError } from '../errors'
import type { RoutePlan } from '../route/plan'
import { UsageError, type Arguments, type Command } from './command'
import { findUnverified } from './check-access'
import { findClasses } from './check-classes'
import { findCopies } from './check-copies'
import { findMediaTypes } from './check-media'
import { findParameters } from './check-params'
import { findShadowed } from './check-shadows'
import { findUndocumented } from './check-throws'
import { findingCodes, formatFinding, type Finding } from './finding'
import { loadApp, routesOf, splitName, type Route } from './load-app'
import { findModule } from './load-module'
import { createFiles, originsOf, type Origin } from './origins'
import { recordApps, type Recorder } from './recorder'
import { surveyApp, toFinding } from './survey'
import { alignColumns } from './table'

/** `kumu check APP`: what would fail or surprise later, one line each. */
export const check: Command = {
  name: 'check',
  summary: 'Find what would fail later; exit code 1 where anything is found',
  operands: ['APP'],
  flags: {
    allow: { type: 'string', multiple: true, placeholder: 'CODE', description: 'pass over findings with this code' },
    json: { type: 'boolean', description: 'print JSON' },
  },
  notes: ['Codes:', ...alignColumns(Object.entries(findingCodes).map(([code, text]) => [`  ${code}`, text]))].join(
    '\n',
  ),
  async run(given, terminal) {
    const allowed = allowedCodes(given)
    const [name = ''] = given.positionals
    const { findings, routes } = await examine(name)
    const fileOf = createFiles(findModule(splitName(name).file))
    const kept = findings.filter(({ code }) => !allowed.has(code))
    if (given.flags.json) {
      const told = kept.map(({ target, ...finding }) => ({ file: fileOf(target), ...finding }))
      terminal.print(JSON.stringify(told, null, 2))
    } else {
      for (const finding of kept) {
        const line = formatFinding(finding, fileOf(finding.target))
        const { level } = finding
        terminal.print(line.replace(`: ${level}:`, `: ${terminal.paint(level === 'error' ? 'red' : 'yellow', level)}:`))
      }
      const count = `${routes} route${routes === 1 ? '' : 's'}`
      if (kept.length === 0) terminal.print(`${count}, nothing found`)
      else terminal.complain(`${kept.length} finding${kept.length === 1 ? '' : 's'} in ${count}`)
    }
    return kept.length === 0 ? 0 : 1
  },
}

/** The codes to be passed over; what keeps an application from starting is none of them. */
function allowedCodes({ flags }: Arguments): ReadonlySet<string> {
  const allowed = (flags.allow ?? []) as readonly string[]
  const unknown = allowed.find((code) => !(code in findingCodes) || code === 'start')
  if (unknown === undefined) return new Set(allowed)
  throw new UsageError(
    unknown === 'start' ? 'what keeps an application from starting cannot be allowed' : `there is no code "${unknown}"`,
    check,
  )
}

interface Examined {
  readonly findings: readonly Finding[]
  /** How many routes were looked at. */
  readonly routes: number
}

/** All that is found: in an application that starts, or in what is in order of one that does not. */
async function examine(name: string): Promise<Examined> {
  const recorder = recordApps()
  try {
    const { app, routes } = await loadApp(name)
    return { findings: look(routes, recorder.of(app) ?? {}), routes: routes.length }
  } catch (error) {
    return examineBroken(error, recorder)
  }
}

/** What keeps the application from starting, and what else is to be found in the rest of it. */
function examineBroken(error: unknown, recorder: Recorder): Examined {
  if (!(error instanceof ConfigurationError)) throw error
  const own = toFinding(error)
  const options = recorder.last()
  if (!options) return { findings: [own], routes: 0 }
  const { findings: found, plans, router } = surveyApp(options)
  const isKnown = found.some(({ where, what }) => where === own.where && what === own.what)
  const routes = router ? routesOf(router) : []
  const findings = locate(isKnown ? found : [own, ...found], originsOf(plans, options))
  return { findings: [...findings, ...look(routes, options)], routes: routes.length }
}

function look(routes: readonly Route[], options: RouterOptions): Finding[] {
  const plans = routes.map(({ plan }) => plan)
  const origins = originsOf(plans, options)
  const findings = [
    ...findShadowed(routes),
    ...findParameters(routes),
    ...findClasses(routes),
    ...findMediaTypes(routes),
    ...findUndocumented(routes, origins),
    ...findUnverified(routes),
    ...findCopies(),
  ]
  return locate(findings, origins)
}

/** Gives findings their class: that of the route, or of the method, which they name. */
function locate(findings: readonly Finding[], origins: ReadonlyMap<RoutePlan, Origin>): Finding[] {
  const classes = new Map<string, object>()
  for (const [{ id }, { target, method }] of origins) classes.set(id, target).set(`${target.name}.${method}`, target)
  return findings.map((finding) => {
    const [place = ''] = finding.where.split(',', 1)
    return { ...finding, target: finding.target ?? classes.get(place) }
  })
}
