import { join } from 'node:path'
import { createApp, type App } from 'kumu'
import { collection, documents } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { Book } from './books'
import { Boom } from './boom'
import { Counter } from './counter'
import { Employees } from './employees'
import { Events } from './events'
import { Fruits } from './fruits'
import { Hello } from './hello'
import { Items } from './items'
import { createStores } from './stores'
import { Uploads } from './uploads'
import { Users } from './users'

/** The showcase: its stores are embedded, under a directory, where `store` puts them nowhere else. */
export function createShowcase(dir: string, store = createStores()): App {
  return createApp({
    resources: [
      Hello,
      Employees,
      documents('/memory', store('memory', memory())),
      documents('/files', store('files', file({ dir: join(dir, 'files') }))),
      documents('/level', store('level', level({ dir: join(dir, 'level') }))),
      collection('/books', { model: Book, store: store('books', level({ dir: join(dir, 'books') })) }),
      Fruits,
      Users,
      Items,
      Events,
      Uploads,
      Counter,
      Boom,
    ],
    openapi: { info: { title: 'The showcase of Kumu', version: '1.0.0' } },
  })
}
