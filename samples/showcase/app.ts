import { join } from 'node:path'
import { createApp, type App } from 'kumu'
import { collection, docstore, documents } from 'kumu/docstore'
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
import { Uploads } from './uploads'
import { Users } from './users'

/** The showcase on stores under a directory. */
export function createShowcase(dir: string): App {
  return createApp({
    resources: [
      Hello,
      Employees,
      documents('/memory', docstore(memory())),
      documents('/files', docstore(file({ dir: join(dir, 'files') }))),
      documents('/level', docstore(level({ dir: join(dir, 'level') }))),
      collection('/books', { model: Book, store: docstore(level({ dir: join(dir, 'books') })) }),
      Fruits,
      Users,
      Items,
      Events,
      Uploads,
      Counter,
      Boom,
    ],
  })
}
