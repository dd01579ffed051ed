import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const root = join(__dirname, '..', '..')

/** Shared, so that the files of the compiler are read once. */
const registry = ts.createDocumentRegistry()

/** A language service over files that are nowhere, in a project like this one. */
function createService(files: Readonly<Record<string, string>>): ts.LanguageService {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const own = new Map(Object.entries(files).map(([name, text]) => [join(__dirname, name), text]))
  const readFile = (file: string): string | undefined => own.get(file) ?? ts.sys.readFile(file)
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => ({ ...options, types: ['node'] }),
    getScriptFileNames: () => [...own.keys()],
    // Of a file of one name there are several here.
    getScriptVersion: (file) => own.get(file) ?? '1',
    getScriptSnapshot: (file) => {
      const text = readFile(file)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: (file) => own.has(file) || ts.sys.fileExists(file),
    readFile,
    directoryExists: (folder) => ts.sys.directoryExists(folder),
  }
  return ts.createLanguageService(host, registry)
}

const head = `import type { Client } from 'kumu/client'
import type { paths } from './paths'
declare const api: Client<paths>
`

describe('Client<paths> in an editor', () => {
  const fixture = readFileSync(join(root, 'test', 'types', 'client-paths.ts'), 'utf8')
  const one = "'/fruits/{name}', { path: { name: '' } }"

  it.each([
    ['the paths of a method', "api.get('|')", ['/fruits', '/fruits/{name}', '/search', '/picture'], []],
    ['and those alone', "api.post('|')", ['/fruits'], ['/search', '/fruits/{name}']],
    ['the options of an operation', "api.get('/fruits', { | })", ['query', 'headers', 'timeout', 'signal'], []],
    ['the parameters of a path', "api.get('/fruits/{name}', { path: { | } })", ['name'], ['amount']],
    ['the parameters of a query', "api.get('/fruits', { query: { | } })", ['amount', 'tag'], ['name']],
    ['the members of a body', "api.post('/fruits', { body: { | } })", ['name', 'amount'], []],
    ['the members of what comes', `api.get(${one}).then((fruit) => fruit.|)`, ['name', 'amount'], []],
  ])('completes %s', (_, call, offered, others) => {
    const text = `${head}void ${call}`
    const service = createService({ 'paths.ts': fixture, 'use.ts': text.replace('|', '') })
    const found = service.getCompletionsAtPosition(join(__dirname, 'use.ts'), text.indexOf('|'), {})
    const names = found?.entries.map(({ name }) => name) ?? []
    expect(names).toEqual(expect.arrayContaining(offered))
    expect(names.filter((name) => others.includes(name as never))).toEqual([])
  })
})

/** A document of so many paths, each with a schema of its own. */
function bigPaths(count: number): string {
  const none = 'query?: never; header?: never; cookie?: never'
  const answer = (index: number): string =>
    `responses: { 200: { headers: {}; content: { 'application/json': S${index} } } }`
  const path = (index: number): string => `'/r${index}/{id}': {
    parameters: { path: { id: string }; ${none} }
    get: {
      parameters: { path: { id: string }; query?: { a?: number }; header?: never; cookie?: never }
      requestBody?: never
      ${answer(index)}
    }
    put: {
      parameters: { path: { id: string }; ${none} }
      requestBody: { content: { 'application/json': S${index} } }
      ${answer(index)}
    }
    post?: never; delete?: never; options?: never; head?: never; patch?: never; trace?: never
  }`
  const all = Array.from({ length: count }, (_, index) => index)
  const schemas = all.map((index) => `interface S${index} { id: string; n${index}: number; list?: string[] }`)
  return `${schemas.join('\n')}\nexport interface paths {\n${all.map(path).join('\n')}\n}\n`
}

describe('Client<paths> of 500 paths', () => {
  const calls = Array.from({ length: 50 }, (_, each) => each * 10).map(
    (index) => `
  ;(await api.get('/r${index}/{id}', { path: { id: 'x' }, query: { a: 1 } })).n${index}.toFixed()
  await api.put('/r${index}/{id}', { path: { id: 'x' }, body: { id: 'x', n${index}: 1 } })`,
  )
  const use = `${head}export async function use(): Promise<void> {${calls.join('')}\n}\n`

  const measure = (count: number): { readonly errors: readonly string[]; readonly work: number } => {
    const program = createService({ 'paths.ts': bigPaths(count), 'use.ts': use }).getProgram()!
    const errors = program.getSemanticDiagnostics(program.getSourceFile(join(__dirname, 'use.ts')))
    return {
      errors: errors.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      work: program.getInstantiationCount(),
    }
  }

  it('costs the compiler what is used of it', () => {
    const { errors, work } = measure(500)
    expect(errors).toEqual([])
    // Counted, not timed: 32,000 as it is, and 81,000 where every call looks at every operation.
    expect(work).toBeLessThan(50_000)
    expect(work).toBeGreaterThan(5_000)
  })
})
