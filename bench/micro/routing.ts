import Router from '@koa/router'
import { loadPeerPackage, loadStep, missing } from './load'
import { type Candidate, timeRow } from './timer'

interface PathIndexStep {
  PathIndex: new (options: { caseSensitive: boolean; ignoreTrailingSlash: boolean }) => {
    add(path: string, value: unknown, compiled: { regexp: RegExp; names: readonly string[] }): void
    find(path: string): unknown
  }
}

type MakeFindMyWay = () => {
  on(method: string, path: string, handler: () => void): void
  find(method: string, path: string): unknown
}

/** A parameter route among ten and among a thousand: the first, the middle and the last in turn. */
export function routing(): void {
  for (const routes of [10, 1000]) {
    const paths = Array.from({ length: routes }, (_, route) => `/route-${route}/:id`)
    const asked = [0, routes / 2, routes - 1].map((route) => `/route-${route}/7`)
    const path = (turn: number): string => asked[turn % asked.length] ?? ''
    const notes: string[] = []
    const candidates = [koaRouter(paths, path)]
    const ours = kumuIndex(paths, path)
    if (ours) candidates.push(ours)
    else notes.push(missing("Kumu's index, which is not where it was"))
    const theirs = findMyWay(paths, path)
    if (theirs) candidates.push(theirs)
    else notes.push(missing('find-my-way, which --peers installs'))
    timeRow({ title: `match, ${routes} parameter routes`, candidates, notes })
  }
}

type PathOf = (turn: number) => string

function koaRouter(paths: readonly string[], pathOf: PathOf): Candidate {
  const router = new Router()
  for (const path of paths) router.get(path, () => undefined)
  return { name: '@koa/router', run: (turn) => router.match(pathOf(turn), 'GET') }
}

function kumuIndex(paths: readonly string[], pathOf: PathOf): Candidate | undefined {
  const { PathIndex } = loadStep<PathIndexStep>('route/path-index') ?? {}
  if (!PathIndex) return undefined
  const index = new PathIndex({ caseSensitive: false, ignoreTrailingSlash: true })
  for (const path of paths) index.add(path, path, { regexp: /^$/, names: ['id'] })
  return { name: 'Kumu', run: (turn) => index.find(pathOf(turn)) }
}

function findMyWay(paths: readonly string[], pathOf: PathOf): Candidate | undefined {
  const make = loadPeerPackage<MakeFindMyWay>('find-my-way')
  if (!make) return undefined
  const router = make()
  for (const path of paths) router.on('GET', path, () => undefined)
  return { name: 'find-my-way', run: (turn) => router.find('GET', pathOf(turn)) }
}
