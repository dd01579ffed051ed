import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, posix, relative } from 'node:path'
import ts from 'typescript'

const root = join(__dirname, '..')

// --- What a file says of itself ---------------------------------------------------------------------------------------

interface Import {
  /** As written: `../errors`, `koa`. */
  readonly specifier: string
  /** Whether it stands only for types: then nothing is loaded. */
  readonly typeOnly: boolean
  /** Whether it is loaded where it is used: `await import('x')`, `require('x')` inside a function. */
  readonly lazy: boolean
}

interface SourceFacts {
  readonly imports: readonly Import[]
  /** Whether it holds named re-exports and nothing else. */
  readonly isDoor: boolean
  /** Whether it touches `Reflect.*Metadata*`. */
  readonly reflects: boolean
}

/** The files of `src`, by their path in it without the extension. */
type Sources = Readonly<Record<string, SourceFacts>>

function readSource(name: string, text: string): SourceFacts {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true)
  const imports: Import[] = []
  let reflects = false
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, lazy: boolean): void => {
    if (specifier && ts.isStringLiteralLike(specifier)) imports.push({ specifier: specifier.text, typeOnly, lazy })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause), false)
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, false)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true, false)
    else if (ts.isExternalModuleReference(node)) add(node.expression, false, false)
    else if (ts.isCallExpression(node) && isLoad(node)) add(node.arguments[0], false, isInsideFunction(node))
    else if (ts.isPropertyAccessExpression(node) && node.expression.getText() === 'Reflect') {
      reflects ||= /metadata/i.test(node.name.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return { imports, isDoor: source.statements.every(isNamedReExport), reflects }
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const bindings = clause.namedBindings
  if (clause.name || !bindings || !ts.isNamedImports(bindings)) return false
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly)
}

function isLoad(call: ts.CallExpression): boolean {
  if (call.expression.kind === ts.SyntaxKind.ImportKeyword) return true
  return /^require(\.resolve)?$/.test(call.expression.getText())
}

function isInsideFunction(node: ts.Node): boolean {
  return ts.findAncestor(node, (parent) => ts.isFunctionLike(parent)) !== undefined
}

function isNamedReExport(statement: ts.Statement): boolean {
  return (
    ts.isExportDeclaration(statement) &&
    statement.moduleSpecifier !== undefined &&
    statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause)
  )
}

// --- The table --------------------------------------------------------------------------------------------------------

const wings = ['docstore', 'client', 'auth', 'tasks', 'rpc', 'openapi', 'static', 'server'] as const
const porch = ['testing', 'cli'] as const

type Room =
  | 'types'
  | 'errors'
  | 'http'
  | 'plan'
  | 'metadata'
  | 'pen'
  | 'step'
  | 'validation'
  | 'spine'
  | 'app'
  | 'door'
  | (typeof wings)[number]
  | (typeof porch)[number]

const floor: readonly Room[] = ['types', 'errors', 'http']

const mayImport: Readonly<Record<Room, readonly Room[]>> = {
  types: [],
  errors: ['types'],
  http: ['types', 'errors', 'http'],
  plan: floor,
  metadata: [...floor, 'plan'],
  pen: [...floor, 'plan', 'metadata', 'pen'],
  step: [...floor, 'plan', 'step'],
  validation: [...floor, 'plan', 'validation'],
  spine: [...floor, 'plan', 'metadata', 'pen', 'step', 'validation', 'spine'],
  // The document of an application is an option of createApp, so the house asks that wing for it where it is wanted.
  app: [...floor, 'plan', 'metadata', 'pen', 'step', 'validation', 'spine', 'openapi'],
  door: [],
  ...wingRows(),
  // A document tells what classes say: it is made of the facts and models that validation is made of.
  openapi: [...floor, 'plan', 'metadata', 'step', 'validation', 'openapi'],
  testing: [...floor, 'plan', 'step', 'app', 'client', 'testing'],
  cli: [...floor, 'plan', 'metadata', 'pen', 'step', 'validation', 'spine', 'app', ...wings, ...porch],
}

function wingRows(): Record<(typeof wings)[number], readonly Room[]> {
  const row = (wing: Room): readonly Room[] => [...floor, 'plan', 'step', wing]
  return Object.fromEntries(wings.map((wing) => [wing, row(wing)])) as Record<(typeof wings)[number], readonly Room[]>
}

/** Where a file stands; `undefined` where the table has no place for it. */
function roomOf(file: string): Room | undefined {
  if (file === 'index' || file.endsWith('/index')) return 'door'
  if (file === 'types' || file === 'errors' || file === 'app') return file
  const [folder, second] = file.split('/')
  if (!second) return undefined
  if (folder === 'http' || folder === 'validation') return folder
  if (folder === 'resource') return second === 'metadata' ? 'metadata' : 'pen'
  if (folder === 'route') return roomOfRoute(second)
  return [...wings, ...porch].find((name) => name === folder)
}

/** `replies` stands with the plan: the values that handlers return are words of authors and steps alike. */
function roomOfRoute(name: string): Room {
  if (name === 'plan' || name === 'replies') return 'plan'
  return /^(compile|run|router|straight)(-|$)/.test(name) ? 'spine' : 'step'
}

/** A door opens what it stands before: the main one layers 0 to 4, a room's own its room (and the floor). */
function doorOpens(door: string): readonly Room[] {
  if (door === 'index') return mayImport.app.filter((room) => room !== 'openapi').concat('app')
  const own = roomOf(`${dirname(door)}/x`)
  return own ? [own, ...floor] : []
}

/** Packages with more than one importing file, each with its reason. */
const sharedPackages: Readonly<Record<string, { readonly files: readonly string[]; readonly reason: string }>> = {
  koa: {
    files: ['route/plan', 'app'],
    reason: 'the plan names the types of its context, the house makes the application',
  },
  '@koa/router': {
    files: ['route/router', 'route/router-table'],
    reason: 'the router extends it, its table names the type of its layers',
  },
  'class-transformer': {
    files: ['validation/transformer', 'validation/lazy'],
    reason: 'one file uses it, the other asks whether it is loaded yet without loading it',
  },
}

interface Packages {
  /** Those that a user gets along: dependencies and peers. */
  readonly declared: readonly string[]
  /** Peers that may be missing. */
  readonly optional: readonly string[]
}

// --- The checker: a pure function from files to sentences -------------------------------------------------------------

function violations(sources: Sources, packages: Packages): string[] {
  return [
    ...Object.entries(sources).flatMap(([file, facts]) => violationsOf(file, facts, sources, packages)),
    ...packageViolations(sources),
    ...cycles(sources).map((cycle) => `import cycle: ${cycle.join(' → ')}`),
  ]
}

function violationsOf(file: string, facts: SourceFacts, sources: Sources, packages: Packages): string[] {
  const room = roomOf(file)
  if (!room) return [`src/${file}.ts stands in no room of the table`]
  const found: string[] = []
  if (room === 'door' && !facts.isDoor) found.push(`src/${file}.ts is a door and holds more than named re-exports`)
  if (room !== 'metadata' && facts.reflects) {
    found.push(`src/${file}.ts uses Reflect metadata: that is resource/metadata's alone`)
  }
  const allowed = room === 'door' ? doorOpens(file) : mayImport[room]
  for (const entry of facts.imports) {
    const problem = entry.specifier.startsWith('.')
      ? (insideProblem(file, entry.specifier, allowed, sources) ?? eagerProblem(file, entry))
      : outsideProblem(entry, packages)
    if (problem) found.push(`src/${file}.ts imports ${entry.specifier}: ${problem}`)
  }
  return found
}

function insideProblem(
  file: string,
  specifier: string,
  allowed: readonly Room[],
  sources: Sources,
): string | undefined {
  const target = targetOf(file, specifier)
  if (target.startsWith('..')) return target === '../package.json' ? undefined : 'it lies outside src'
  if (roomOf(target) === 'door' || !(target in sources)) {
    const isFolder = target === '.' || `${target}/index` in sources || roomOf(target) === 'door'
    return isFolder ? 'no file inside src imports a door' : 'there is no such file'
  }
  const room = roomOf(target)
  if (!room || allowed.includes(room)) return undefined
  return `${roomOf(file) ?? file} may not import ${room}`
}

/** An application without a document must not pay for it. */
function eagerProblem(file: string, { specifier, typeOnly, lazy }: Import): string | undefined {
  if (file !== 'app' || typeOnly || lazy || roomOf(targetOf(file, specifier)) !== 'openapi') return undefined
  return 'app loads openapi where it is asked for'
}

function outsideProblem({ specifier, typeOnly, lazy }: Import, packages: Packages): string | undefined {
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? undefined : `write node:${specifier}`
  const name = packageOf(specifier)
  if (!packages.declared.includes(name)) return `${name} is neither a dependency nor a peer`
  if (packages.optional.includes(name) && !typeOnly && !lazy) {
    return `${name} is optional: load it where it is used, with an error that says what to install`
  }
  return undefined
}

function packageViolations(sources: Sources): string[] {
  const importers = new Map<string, Set<string>>()
  for (const [file, { imports }] of Object.entries(sources)) {
    for (const { specifier } of imports) {
      if (specifier.startsWith('.') || isBuiltin(specifier)) continue
      const name = packageOf(specifier)
      importers.set(name, (importers.get(name) ?? new Set()).add(file))
    }
  }
  return [...importers].flatMap(([name, files]) => {
    const shared = sharedPackages[name]
    const extra = shared
      ? [...files].filter((file) => !shared.files.some((pattern) => matches(pattern, file)))
      : [...files]
    if (shared ? extra.length === 0 : extra.length === 1) return []
    return [
      `${name} is imported by ${extra.map((file) => `src/${file}.ts`).join(' and ')}: one package, one importing file`,
    ]
  })
}

function matches(pattern: string, file: string): boolean {
  return pattern.endsWith('/*') ? file.startsWith(pattern.slice(0, -1)) : pattern === file
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function targetOf(file: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(file), specifier)).replace(/(\.js|\/)$/, '')
}

/** Every import cycle once, from the file first met. */
function cycles(sources: Sources): string[][] {
  const done = new Set<string>()
  const path: string[] = []
  const found: string[][] = []
  const walk = (file: string): void => {
    const start = path.indexOf(file)
    if (start >= 0) found.push([...path.slice(start), file])
    if (start >= 0 || done.has(file)) return
    path.push(file)
    for (const { specifier } of sources[file]?.imports ?? []) {
      const target = targetOf(file, specifier)
      if (specifier.startsWith('.') && target in sources) walk(target)
    }
    path.pop()
    done.add(file)
  }
  Object.keys(sources).forEach(walk)
  return found
}

// --- The house as it stands -------------------------------------------------------------------------------------------

function readHouse(): Sources {
  const folder = join(root, 'src')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return Object.fromEntries(
    files.sort().map((file) => {
      const path = join(folder, file)
      const name = relative(folder, path).replaceAll('\\', '/').replace(/\.ts$/, '')
      return [name, readSource(path, readFileSync(path, 'utf8'))]
    }),
  )
}

function readPackages(): Packages {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    peerDependencies: Record<string, string>
    peerDependenciesMeta: Record<string, { optional?: boolean }>
  }
  return {
    declared: [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)],
    optional: Object.entries(manifest.peerDependenciesMeta).flatMap(([name, { optional }]) => (optional ? [name] : [])),
  }
}

describe('src/', () => {
  const sources = readHouse()

  test('is read', () => {
    expect(Object.keys(sources)).toEqual(expect.arrayContaining(['types', 'errors', 'route/plan']))
    expect(sources['errors']?.imports).toEqual([{ specifier: './types', typeOnly: true, lazy: false }])
  })

  test('keeps to the table of who may import whom', () => {
    expect(violations(sources, readPackages())).toEqual([])
  })
})

// --- The checker on planted files -------------------------------------------------------------------------------------

/** A house of planted files: what the named ones import, as source text. */
function plant(files: Record<string, string>): string[] {
  const sources = Object.entries(files).map(([file, text]) => [file, readSource(`${file}.ts`, text)] as const)
  return violations(Object.fromEntries(sources), { declared: ['koa', 'lib', 'lazy'], optional: ['lazy'] })
}

describe('violations(sources, packages)', () => {
  const base = {
    types: '',
    errors: "import type { A } from './types'",
    'http/range': "import { E } from '../errors'",
    'route/plan': "import type { A } from '../types'",
    'route/body': "import type { P } from './plan'",
    'resource/metadata': "import type { P } from '../route/plan'\nReflect.getMetadata('a', b)",
    'resource/params': "import { m } from './metadata'",
    'route/router': "import { b } from './body'",
    'docstore/store': "import type { P } from '../route/plan'",
    'docstore/drivers/memory': "import { s } from '../store'",
    'client/client': "import { E } from '../errors'",
    'testing/test-app': "import { c } from '../client/client'",
    app: "import { r } from './route/router'",
    index: "export { createApp } from './app'\nexport type { P } from './route/plan'",
    'docstore/index': "export { docstore } from './store'",
    'openapi/document': "import { m } from '../resource/metadata'",
  }

  test('finds nothing where nothing is wrong', () => {
    expect(plant(base)).toEqual([])
  })

  test.each([
    ['a floor file that imports upward', 'http/range', "import { b } from '../route/body'", /http may not import step/],
    ['a type import as well', 'http/range', "import type { P } from '../route/plan'", /http may not import plan/],
    ['an inline type', 'errors', "type T = import('./http/range').T", /errors may not import http/],
    [
      'a decorator that imports a step',
      'resource/params',
      "import { b } from '../route/body'",
      /pen may not import step/,
    ],
    ['a step that imports the spine', 'route/body', "import { r } from './router'", /step may not import spine/],
    [
      'a step that imports facts',
      'route/body',
      "import { m } from '../resource/metadata'",
      /step may not import metadata/,
    ],
    [
      'a wing that imports a wing',
      'docstore/store',
      "import { c } from '../client/client'",
      /docstore may not import client/,
    ],
    [
      'a wing that re-exports a wing',
      'docstore/store',
      "export { c } from '../client/client'",
      /docstore may not import client/,
    ],
    [
      'a wing that imports the spine',
      'docstore/store',
      "import { r } from '../route/router'",
      /docstore may not import spine/,
    ],
    [
      'a wing that imports the porch',
      'docstore/store',
      "import '../testing/test-app'",
      /docstore may not import testing/,
    ],
    [
      'the house that imports a wing',
      'app',
      "const s = () => import('./docstore/store')",
      /app may not import docstore/,
    ],
    [
      'a document made at once',
      'app',
      "import { c } from './openapi/document'",
      /app loads openapi where it is asked for/,
    ],
    ['a door imported by name', 'app', "import { x } from './docstore/index'", /no file inside src imports a door/],
    ['a door imported by its folder', 'app', "import { x } from './docstore'", /no file inside src imports a door/],
    ['the main door', 'http/range', "import { x } from '..'", /no file inside src imports a door/],
    ['a missing file', 'http/range', "import { x } from './gone'", /there is no such file/],
    ['a file outside src', 'app', "import { x } from '../bench/run'", /it lies outside src/],
    ['a builtin without its scheme', 'app', "import fs from 'fs'", /write node:fs/],
    ['a package nobody installs', 'app', "import x from '@scope/gone/deep'", /@scope\/gone is neither/],
    ['an optional package loaded at once', 'app', "import x from 'lazy'", /lazy is optional/],
    ['metadata out of its room', 'app', "Reflect.defineMetadata('a', 1, b)", /Reflect metadata/],
    ['a door that exports all', 'docstore/index', "export * from './store'", /more than named re-exports/],
    ['a door that does something', 'index', 'export const a = 1', /more than named re-exports/],
    [
      'a door that opens another room',
      'docstore/index',
      "export { c } from '../client/client'",
      /door may not import client/,
    ],
    ['a file without a room', 'helpers', 'export {}', /stands in no room/],
  ])('%s', (_, file, text, sentence) => {
    // A step upward often closes a cycle as well: that sentence is tested below.
    const found = plant({ ...base, [file]: text }).filter((line) => !line.startsWith('import cycle'))
    expect(found).toEqual([expect.stringMatching(sentence)])
    expect(found[0]).toMatch(`src/${file}.ts`)
  })

  test('a cycle, through types too', () => {
    const found = plant({
      ...base,
      'route/a': "import type { B } from './b'",
      'route/b': "import { c } from './c'",
      'route/c': "const a = () => import('./a')",
    })
    expect(found).toEqual(['import cycle: route/a → route/b → route/c → route/a'])
  })

  test('a package with two importing files', () => {
    const found = plant({ ...base, 'http/range': "import 'lib'", 'route/body': "import { x } from 'lib/deep'" })
    expect(found).toEqual([
      'lib is imported by src/http/range.ts and src/route/body.ts: one package, one importing file',
    ])
  })

  test('a shared package outside its files', () => {
    const found = plant({ ...base, 'route/plan': "import 'koa'", app: "import 'koa'", 'route/body': "import 'koa'" })
    expect(found).toEqual(['koa is imported by src/route/body.ts: one package, one importing file'])
  })

  test('an optional package loaded where it is used, or for its types alone, is fine', () => {
    const text = "import type { L } from 'lazy'\nexport async function open() { return (await import('lazy')).open }"
    expect(plant({ ...base, 'docstore/drivers/memory': text })).toEqual([])
  })
})
