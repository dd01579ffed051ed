import { setTimeout as pause } from 'node:timers/promises'
import { IsArray, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator'
import { createApp, type App, type AppOptions } from 'kumu'
import { collection, docstore, type CollectionOptions, type Driver, type Store } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'
import { override } from '../../support/documents'
import { serve, type Answer, type Served } from '../../support/serve'

/** The documents of these tests. */
export class Note {
  @IsString()
  @Length(1, 50)
  title!: string

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(9999)
  year?: number

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  tags?: string[]
}

/** A note as a client sees it. */
export interface Shown {
  readonly id: string
  readonly title: string
  readonly year?: number
  readonly tags?: readonly string[]
}

/** A collection that is served at `/notes`. */
export interface ServedCollection extends Served {
  readonly app: App
  readonly store: Store
}

/** How a collection is served. */
export type ServeOptions = Partial<CollectionOptions> & { readonly driver?: Driver; readonly app?: AppOptions }

const apps: App[] = []

/** Serves a collection at `/notes`; end it with `unmountAll` and {@link closeCollections}. */
export async function serveNotes({ driver, app: options, ...rest }: ServeOptions = {}): Promise<ServedCollection> {
  const store = rest.store ?? docstore(driver ?? memory())
  const app = createApp({
    logger: { error: () => undefined },
    ...options,
    resources: [collection('/notes', { model: Note, ...rest, store }), ...(options?.resources ?? [])],
  })
  apps.push(app)
  return { ...(await serve(app)), app, store }
}

/** Ends the applications of {@link serveNotes} with their stores. */
export async function closeCollections(): Promise<void> {
  await Promise.all(apps.splice(0).map((app) => app.close()))
}

/** What an answer says is wrong: `/title isLength`. */
export function faults(answer: Answer): string[] {
  const { errors = [] } = answer.json<{ errors?: ReadonlyArray<{ pointer: string; code: string }> }>()
  return errors.map(({ pointer, code }) => `${pointer} ${code}`).sort()
}

/**
 * A driver whose answers take their time, each another: requests that come at once all read before the first writes. Of a
 * driver in memory one would be through before the next begins.
 */
export function slowed(driver: Driver): Driver {
  const wait = (): Promise<void> => pause(Math.random() * 4)
  return override(driver, {
    get: async (key, options) => {
      const doc = await driver.get(key, options)
      await wait()
      return doc
    },
    put: async (key, body, options) => {
      await wait()
      return driver.put(key, body, options)
    },
    delete: async (key, options) => {
      await wait()
      return driver.delete(key, options)
    },
  })
}

/** Creates a note. */
export async function createNote(served: Served, body: unknown): Promise<{ note: Shown; etag: string; path: string }> {
  const answer = await served.ask('POST', '/notes', { body })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
  return { note: answer.json<Shown>(), etag: String(answer.headers.etag), path: String(answer.headers.location) }
}
