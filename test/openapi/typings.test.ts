import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { createShowcase } from '../../samples/showcase/app'
import { closeAll, serve } from '../support/serve'
import { compile, createWorkspace, declarationsOf, removeWorkspaces } from './support/workspace'

afterAll(removeWorkspaces)

describe('GET /openapi.d.ts', () => {
  test('declarations, with an entity tag', async () => {
    const { status, type, again, text } = await declarationsOf('wide')
    expect({ status, type, again }).toEqual({ status: 200, type: 'text/plain; charset=utf-8', again: 304 })
    expect(text).toContain('export interface paths {')
  })

  test('they compile, and every wrong path, parameter, body and answer is an error', async () => {
    const { text } = await declarationsOf('wide')
    const directory = createWorkspace({ 'api.d.ts': text, 'consumer.ts': consumer })
    expect((await compile(directory)).errors).toBe('')
  })
})

const consumer = `
import createClient from 'openapi-fetch'
import type { components, paths } from './api'

const api = createClient<paths>({ baseUrl: 'http://127.0.0.1' })

export async function right() {
  const { data, error } = await api.GET('/things/{id}', { params: { path: { id: 7 } } })
  const login: string | undefined = data?.login
  const title: string | undefined = error?.title
  const codes: string[] | undefined = error?.errors?.map(({ code }) => code)
  const list = await api.GET('/things', { params: { query: { limit: 5, name: 'a', size: [1, 2] } } })
  const nickname: string | null | undefined = list.data?.[0]?.nickname
  const shape = list.data?.[0]?.shape
  if (shape?.kind === 'circle') shape.radius.toFixed()
  else shape?.side.toFixed()
  await api.POST('/v2/calls/notes', { body: { text: 'a' } })
  await api.GET('/v2/calls/named', { params: { query: { ids: [1], mode: 'fast' } } })
  const old: string | undefined = (await api.GET('/v2/calls/old', { parseAs: 'text' })).data
  const node: components['schemas']['Node'] = { name: 'a', children: [{ name: 'b', children: [] }] }
  return { login, title, codes, nickname, old, node }
}

export async function wrong() {
  // @ts-expect-error there is no such path
  await api.GET('/thing')
  // @ts-expect-error nor such a method of it
  await api.PUT('/things')
  // @ts-expect-error the parameter is a number
  await api.GET('/things/{id}', { params: { path: { id: 'a' } } })
  // @ts-expect-error the parameter is missing
  await api.GET('/things/{id}')
  // @ts-expect-error there is no such query parameter
  await api.GET('/things', { params: { query: { colour: 'red' } } })
  // @ts-expect-error the member is of another type
  await api.POST('/v2/calls/notes', { body: { text: 1 } })
  // @ts-expect-error the member is missing
  await api.POST('/v2/calls/notes', { body: {} })
  const { data } = await api.GET('/things/{id}', { params: { path: { id: 7 } } })
  // @ts-expect-error the password is never shown
  return data?.password
}
`

describe('openapi-fetch with the typings of the showcase', () => {
  const program = `
import createClient from 'openapi-fetch'
import type { paths } from './api'

const api = createClient<paths>({ baseUrl: process.argv[2] })

const book = { isbn: '978-3-16-148410-0', title: 'Emma', authors: ['Jane Austen'] }
const made = await api.POST('/books', { body: book })
const listed = await api.GET('/books', { params: { query: { title: ['Emma', 'Persuasion'], limit: 5 } } })
const titles: string[] = listed.data?.map(({ title }) => title) ?? []
const refused = await api.POST('/users', { body: { name: '', email: 'x', age: 1, tags: [], address: { street: 'S', city: 'C', zip: '12345' }, role: 'admin' } })
const pointers = refused.error?.errors?.map(({ pointer }) => pointer).sort()
const hello = await api.GET('/hello/{id}', { params: { path: { id: 7 } } })
const fruit = await api.GET('/fruits', { params: { query: { name: 'kiwi', amount: 2, alias: ['a', 'b'] } } })
// @ts-expect-error a role that there is not
await api.POST('/users', { body: { ...refused, role: 'king' } })
console.log(JSON.stringify({ status: made.response.status, titles, pointers, hello: hello.data, fruit: fruit.data }))
`
  let directory = ''
  beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'kumu-typings-'))))
  afterAll(async () => {
    await closeAll()
    rmSync(directory, { recursive: true, force: true })
  })

  test('a program compiles, and runs against it', async () => {
    const { text } = await declarationsOf('showcase')
    const workspace = createWorkspace({ 'api.d.ts': text, 'program.ts': program }, ['node'])
    expect((await compile(workspace)).errors).toBe('')
    const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
    writeFileSync(join(workspace, 'program.mjs'), ts.transpileModule(program, { compilerOptions: options }).outputText)
    const app = createShowcase(directory)
    const { url } = await serve(app)
    const { stdout } = await promisify(execFile)(process.execPath, [join(workspace, 'program.mjs'), url])
    expect(JSON.parse(stdout)).toEqual({
      status: 201,
      titles: ['Emma'],
      pointers: ['/email', '/name'],
      hello: { id: 7, hello: 'world' },
      fruit: { name: 'kiwi', otherNames: ['a', 'b'], isCitrus: false, amount: 2 },
    })
    await app.close()
  })
})

/** A file that uses fifty routes of five hundred. */
function fiftyCalls(): string {
  const calls = Array.from({ length: 10 }, (_, index) => index * 10 + 1).map(
    (number) => `
  const list${number} = await api.GET('/resource-${number}', { params: { query: { limit: 5, name: 'a' } } })
  const one${number} = await api.GET('/resource-${number}/{id}', { params: { path: { id: 1 } } })
  await api.POST('/resource-${number}', { body: { name: 'a', age: 1, role: 'admin', own${number}: 'x' } })
  await api.PUT('/resource-${number}/{id}', { params: { path: { id: 1 } }, body: { name: 'a', age: 1, role: 'admin', own${number}: 'x' } })
  await api.DELETE('/resource-${number}/{id}', { params: { path: { id: '1' } } })
  names.push(list${number}.data?.[0]?.own${number}, one${number}.data?.own${number})`,
  )
  return `import createClient from 'openapi-fetch'
import type { paths } from './api'

export async function use(): Promise<Array<string | undefined>> {
  const api = createClient<paths>({ baseUrl: 'http://127.0.0.1' })
  const names: Array<string | undefined> = []
${calls.join('\n')}
  return names
}
`
}

// Measured on a quiet machine these are 2 s and 1 s; a shared one may be three times slower.
const patience = 3

describe('the typings of 500 routes', () => {
  let directory = ''

  beforeAll(async () => {
    const { text } = await declarationsOf('large')
    directory = createWorkspace({ 'api.d.ts': text, 'consumer.ts': fiftyCalls() })
  })

  test('a file that uses 50 of them compiles within 2 s', async () => {
    const { errors, took } = await compile(directory)
    expect(errors).toBe('')
    if (process.env.KUMU_SHOW) process.stderr.write(`tsc ${took} ms\n`)
    expect(took).toBeLessThan(2000 * patience)
  })

  test('completion of a path within 1 s', () => {
    const file = join(directory, 'consumer.ts')
    const text = readFileSync(file, 'utf8')
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(directory, 'tsconfig.json'), ts.sys.readFile).config,
      ts.sys,
      directory,
    )
    let source = text
    let version = 1
    const service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => [file],
      getScriptVersion: (name) => (name === file ? String(version) : '1'),
      getScriptSnapshot: (name) => {
        const content = name === file ? source : ts.sys.readFile(name)
        return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
      },
      getCurrentDirectory: () => directory,
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    })
    // The editor has opened the file.
    expect(service.getSemanticDiagnostics(file).map(({ messageText }) => messageText)).toEqual([])
    const at = text.indexOf('  return names')
    source = `${text.slice(0, at)}  await api.GET('')\n${text.slice(at)}`
    version++
    const started = process.cpuUsage()
    const completions = service.getCompletionsAtPosition(file, at + "  await api.GET('".length, {})
    const { user, system } = process.cpuUsage(started)
    expect(completions?.entries.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['/resource-1', '/resource-100/{id}']),
    )
    const took = (user + system) / 1000
    expect(took).toBeLessThan(1000 * patience)
    if (process.env.KUMU_SHOW) process.stderr.write(`completion ${took} ms\n`)
  })
})
