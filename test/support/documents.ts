import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, type App, type AppOptions } from 'kumu'
import { docstore, documents, type Can, type DocumentsOptions, type Driver, type Store } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { closeAll, serve, type Answer, type Served } from './serve'

/** What the drivers of these tests are made with. */
export interface DriverOptions {
  readonly maxBody?: number
  readonly now?: () => number
  readonly log?: number
}

/** Every embedded driver by its name, each on a fresh directory. */
export const drivers: ReadonlyArray<readonly [name: string, make: (options?: DriverOptions) => Driver]> = [
  ['memory', (options) => memory(options)],
  ['file', (options) => file({ dir: createDirectory(), ...options })],
  ['level', (options) => level({ dir: createDirectory(), ...options })],
]

const directories: string[] = []

/** A fresh directory that {@link unmountAll} removes. */
export function createDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kumu-documents-'))
  directories.push(dir)
  return dir
}

/** A store that is served at `/docs`. */
export interface Mounted extends Served {
  readonly app: App
  readonly store: Store
}

/** How a store is mounted. */
export interface MountOptions {
  readonly app?: AppOptions
  readonly documents?: DocumentsOptions
}

const apps: App[] = []

/** Serves a store at `/docs` until {@link unmountAll}. */
export async function mount(driver: Driver, options: MountOptions = {}): Promise<Mounted> {
  const store = docstore(driver)
  const resources = [documents('/docs', store, options.documents), ...(options.app?.resources ?? [])]
  const app = createApp({ logger: { error: () => undefined }, ...options.app, resources })
  apps.push(app)
  return { ...(await serve(app)), app, store }
}

/** Ends servers and applications with their stores, and removes their directories: for `afterEach`. */
export async function unmountAll(): Promise<void> {
  await closeAll()
  await Promise.all(apps.splice(0).map((app) => app.close()))
  for (const dir of directories.splice(0)) rmSync(dir, { recursive: true, force: true })
}

/** A driver that says it can do less than it can. */
export function withCan(driver: Driver, can: Partial<Can>): Driver {
  return override(driver, { can: { ...driver.can, ...can } })
}

/** A driver with some of its members replaced. */
export function override(driver: Driver, members: Partial<Driver>): Driver {
  return new Proxy(driver, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof Driver]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** One entry of a list as the client sees it. */
export interface Listed {
  readonly key: string
  readonly type: string
  readonly size: number
  readonly modified: string
  readonly etag: string
}

/** The keys of a JSON list. */
export function keysOf(answer: Answer): string[] {
  return answer.json<Listed[]>().map(({ key }) => key)
}
