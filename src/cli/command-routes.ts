import type { AccessPlan, ParamPlan, TypePlan } from '../route/plan'
import type { Command } from './command'
import { loadApp, type Route } from './load-app'
import { alignColumns } from './table'

/** `kumu routes APP`: what is served where, by whom, to whom. */
export const routes: Command = {
  name: 'routes',
  summary: 'Print the table of routes',
  operands: ['APP'],
  flags: { json: { type: 'boolean', description: 'print JSON' } },
  notes: `Columns: method, path, handler, access ("-" is open, "user" anybody who is known, else roles or "rule"), input.
Input is SOURCE.NAME:TYPE, or SOURCE:TYPE where the whole is bound; "?" stands behind what may be left out.`,
  async run({ positionals, flags }, terminal) {
    const { routes: found } = await loadApp(positionals[0] as string)
    const sorted = found.toSorted(byPath)
    if (flags.json) {
      terminal.print(JSON.stringify(sorted.map(toJson), null, 2))
      return 0
    }
    const rows = sorted.map((route) => [
      route.plan.method,
      String(route.path),
      route.plan.id,
      formatAccess(route.plan.access),
      inputs(route).map(formatInput).join(' ') || '-',
    ])
    const styles = ['green', 'bold', undefined, 'yellow', 'dim'] as const
    const lines = alignColumns(rows, (cell, column) => {
      const style = styles[column]
      return style ? terminal.paint(style, cell) : cell
    })
    for (const line of lines) terminal.print(line)
    return 0
  },
}

function byPath(left: Route, right: Route): number {
  return compareText(String(left.path), String(right.path)) || compareText(left.plan.method, right.plan.method)
}

/** The same on every machine: no locale is asked. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}

function formatAccess(access: AccessPlan | undefined): string {
  if (!access) return '-'
  if (access.rule) return 'rule'
  return access.roles.length > 0 ? access.roles.join('|') : 'user'
}

// --- What a route reads ---------------------------------------------------------------------------------------------------------

interface Input {
  readonly in: string
  readonly name?: string
  readonly type?: string
  readonly required: boolean
}

/** Sources that a client has a hand in, by their word in the table. */
const words: Partial<Record<ParamPlan['source'], string>> = {
  path: 'path',
  query: 'query',
  header: 'header',
  cookie: 'cookie',
  body: 'body',
  rawBody: 'body',
  file: 'file',
  files: 'files',
  page: 'page',
  where: 'where',
  fields: 'fields',
}

const untyped: ReadonlySet<ParamPlan['source']> = new Set(['file', 'files', 'page', 'where', 'fields'])

function inputs({ plan }: Route): Input[] {
  return plan.params
    .flatMap((param) => param.members ?? [param])
    .flatMap((param) => {
      const word = words[param.source]
      if (word === undefined) return []
      const type = param.source === 'rawBody' ? 'bytes' : formatType(param.type)
      return [
        { in: word, name: param.name, type: untyped.has(param.source) ? undefined : type, required: param.required },
      ]
    })
}

function formatInput({ in: source, name, type, required }: Input): string {
  const label = name === undefined ? source : `${source}.${name}`
  return `${label}${required || type === undefined ? '' : '?'}${type === undefined ? '' : `:${type}`}`
}

function formatType({ kind, class: Class, list }: TypePlan): string {
  return `${Class?.name ?? kind}${list ? '[]' : ''}`
}

function toJson(route: Route): object {
  const { plan, path } = route
  const { method, id, access, body, doc } = plan
  return {
    method,
    path: String(path),
    id,
    access: access ? { roles: access.roles, rule: access.rule !== undefined } : null,
    input: inputs(route),
    consumes: body?.consumes ?? [],
    produces: plan.reply.produces,
    deprecated: doc.deprecated !== undefined,
  }
}
