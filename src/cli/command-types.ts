import { createTypings } from '../openapi/typings'
import type { Command } from './command'
import { loadApp } from './load-app'
import { documentOf } from './command-openapi'
import { give, outFlag } from './output'

/** `kumu types APP`: what `createClient<paths>` is told of the application. */
export const types: Command = {
  name: 'types',
  summary: 'Print the typings for clients, a declaration file',
  operands: ['APP'],
  flags: { out: outFlag },
  notes: 'It needs the packages openapi-typescript and typescript.',
  async run(given, terminal) {
    const document = documentOf(await loadApp(given.positionals[0] as string))
    give(await createTypings(document), given, terminal)
    return 0
  },
}
