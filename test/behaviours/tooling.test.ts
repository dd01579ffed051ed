import 'reflect-metadata'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { transformSync } from '@swc/core'
import * as kumu from 'kumu'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

const root = join(__dirname, '../..')
const {
  Atomic,
  Authorize,
  Body,
  ConfigurationError,
  Context,
  Cookie,
  createApp,
  Delete,
  Deprecated,
  ErrorHandler,
  Fields,
  File,
  Files,
  Get,
  Head,
  Header,
  Intercept,
  Limit,
  Method,
  OnNull,
  Open,
  Options,
  Page,
  Paged,
  Param,
  Patch,
  Post,
  Produces,
  Consumes,
  Put,
  Query,
  RawBody,
  Read,
  Redirect,
  RequireMatch,
  Resource,
  ResponseHeader,
  Returns,
  Signal,
  State,
  Status,
  Summary,
  Tag,
  Throws,
  Timeout,
  UnknownQuery,
  Use,
  User,
  Version,
} = kumu

type OnMethod = (target: object, name: string) => void
type OnParameter = (target: object, name: string, index: number) => void

/** A resource decorated as esbuild and tsx leave it: everything but the types. */
function untyped(method: OnMethod, parameters: readonly OnParameter[]): new () => object {
  class Untyped {
    act(...values: unknown[]): unknown {
      return { values }
    }
  }
  parameters.forEach((parameter, index) => parameter(Untyped.prototype, 'act', index))
  method(Untyped.prototype, 'act')
  Resource('/untyped')(Untyped)
  return Untyped
}

describe('B78: where the compiler emits no types', () => {
  it.each([
    ['the only one', Get('/:id'), [Param('id')], 0],
    ['a body', Post(), [Body()], 0],
    ['a member of the body', Post(), [Body('name')], 0],
    ['a query', Get(), [Query()], 0],
    ['a parameter of the query', Get(), [Query('q')], 0],
    ['a header', Get(), [Header('x-own')], 0],
    ['a cookie', Get(), [Cookie('c')], 0],
    ['the third of three', Post('/:id'), [Param('id', String), Query('q', Number), Body()], 2],
    ['the second of three', Post('/:id'), [Param('id', String), Query('q'), Body(Object)], 1],
  ] as ReadonlyArray<readonly [string, OnMethod, readonly OnParameter[], number]>)(
    '%s is named at start',
    (_name, method, parameters, index) => {
      let said = ''
      try {
        createApp({ resources: [untyped(method, parameters)] })
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigurationError)
        said = (error as Error).message
      }
      expect(said).toContain(`Untyped.act, parameter ${index}`)
      expect(said).toMatch(/emitted no types/)
      expect(said).toMatch(/Name the type: @(Body|Query|Param|Header|Cookie)\(/)
    },
  )

  it('explicit types are enough', async () => {
    const resource = untyped(Post('/:id'), [
      Param('id', kumu.Integer),
      Query('q', { type: [String], default: [] }),
      Body(Object),
      Header('host', { convert: (text: string) => text.length > 0 }),
      Context(),
      Signal(),
      State('none'),
      User(),
    ])
    const { ask } = await serve(createApp({ resources: [resource] }))
    const answer = await ask('POST', '/untyped/7?q=a', { body: { any: 'thing' } })
    expect(answer.json<{ values: unknown[] }>().values.slice(0, 4)).toEqual([7, ['a'], { any: 'thing' }, true])
  })

  it('a type that is only there at compile time is named as such', () => {
    const resource = untyped(Post(), [Body()])
    Reflect.defineMetadata('design:paramtypes', [Object], resource.prototype as object, 'act')
    expect(() => createApp({ resources: [resource] })).toThrow(/Untyped\.act, parameter 0.*not there at run time/)
  })

  it('an array says that its elements have no type', () => {
    const resource = untyped(Post(), [Body()])
    Reflect.defineMetadata('design:paramtypes', [Array], resource.prototype as object, 'act')
    expect(() => createApp({ resources: [resource] })).toThrow(/Untyped\.act, parameter 0.*@Body\(\[Class\]\)/)
  })
})

describe('B79: standard (TC39) decorators', () => {
  const onClass = {
    Resource: Resource('/'),
    Use: Use(),
    Authorize: Authorize(),
    Open: Open(),
    Intercept: Intercept(),
    Version: Version('v1'),
    Produces: Produces('a/b'),
    Consumes: Consumes('a/b'),
    Tag: Tag('a'),
    Atomic: Atomic(),
    Limit: Limit({}),
    UnknownQuery: UnknownQuery('ignore'),
    Timeout: Timeout(1),
    Deprecated: Deprecated(),
    RequireMatch: RequireMatch(),
    ResponseHeader: ResponseHeader('a', 'b'),
    Throws: Throws(),
  }
  const onMethod = {
    Get: Get(),
    Put: Put(),
    Post: Post(),
    Patch: Patch(),
    Delete: Delete(),
    Head: Head(),
    Options: Options(),
    Method: Method('REPORT'),
    Status: Status(201),
    OnNull: OnNull(204),
    Redirect: Redirect('/'),
    Returns: Returns(Object),
    Paged: Paged(),
    Summary: Summary('a'),
    ErrorHandler: ErrorHandler(404),
  }
  const onParameter = {
    Param: Param('a'),
    Query: Query('a'),
    Header: Header('a'),
    Cookie: Cookie('a'),
    Body: Body('a'),
    Page: Page(),
    Fields: Fields(),
    Context: Context(),
    State: State('a'),
    User: User(),
    Signal: Signal(),
    RawBody: RawBody(),
    File: File('a'),
    Files: Files('a'),
    Read: Read(() => 1),
  }

  type Standard = (value: unknown, context: object) => unknown
  const context = (kind: string): object => ({
    kind,
    name: 'it',
    static: false,
    private: false,
    access: {},
    metadata: {},
    addInitializer: () => undefined,
  })

  it.each([
    ...Object.entries(onClass).map(([name, decorator]) => [name, decorator, 'class'] as const),
    ...Object.entries({ ...onClass, ...onMethod })
      .filter(([name]) => name !== 'Resource')
      .map(([name, decorator]) => [name, decorator, 'method'] as const),
    ...Object.entries(onParameter).map(([name, decorator]) => [name, decorator, 'field'] as const),
  ])('@%s is refused at once, with the option to set', (name, decorator, kind) => {
    const target = kind === 'class' ? class {} : kind === 'method' ? () => undefined : undefined
    const call = () => (decorator as unknown as Standard)(target, context(kind))
    expect(call).toThrow(ConfigurationError)
    expect(call).toThrow(new RegExp(`@${name}\\b.*experimentalDecorators`, 's'))
  })

  it('every decorator is among them', () => {
    const known = new Set([...Object.keys(onClass), ...Object.keys(onMethod), ...Object.keys(onParameter)])
    const others = new Set([
      'AnyBody',
      'Nullable',
      'App',
      'Collection',
      'HttpError',
      'Integer',
      'Reply',
      'Slice',
      'StreamEvent',
      'UploadedFile',
      'PlanRouter',
    ])
    const capital = Object.entries(kumu).filter(
      ([name, value]) => /^[A-Z]/.test(name) && typeof value === 'function' && !(value.prototype instanceof Error),
    )
    expect(capital.map(([name]) => name).filter((name) => !known.has(name) && !others.has(name))).toEqual([])
  })

  it.each(['2022-03', '2023-11'])('a class compiled for them (%s) says so as it is loaded', (decoratorVersion) => {
    const source = `const { Resource, Get } = kumu; @Resource('/a') class A { @Get() get() { return 1 } }`
    const { code } = transformSync(source, {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'ecmascript', decorators: true },
        transform: { decoratorVersion: decoratorVersion as '2022-03' },
      },
      module: { type: 'commonjs' },
    })
    const load = (): unknown => runInNewContext(code, { kumu, exports: {}, require, Symbol, Object, TypeError, Error })
    expect(load).toThrow(/experimentalDecorators/)
  })
})

describe('B81: one copy of each', () => {
  const peers = ['koa', '@koa/router', 'reflect-metadata', 'class-validator', 'class-transformer']

  it.each(peers)('%s is there once', (name) => {
    const found: string[] = []
    const visit = (dir: string): void => {
      for (const entry of readdirSync(dir, { withFileTypes: true })) {
        if (!entry.isDirectory() || entry.name.startsWith('.')) continue
        const packages = entry.name.startsWith('@')
          ? readdirSync(join(dir, entry.name)).map((each) => join(entry.name, each))
          : [entry.name]
        for (const each of packages) {
          if (each === name) found.push(join(dir, each))
          const nested = join(dir, each, 'node_modules')
          if (existsSync(nested)) visit(nested)
        }
      }
    }
    visit(join(root, 'node_modules'))
    expect(found).toEqual([join(root, 'node_modules', name)])
  })

  it('npm finds nothing missing, invalid or twice', () => {
    const output = execFileSync('npm', ['ls', ...peers, '--all', '--json'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const tree = JSON.parse(output) as { problems?: string[]; version: string }
    const versions = new Map<string, Set<string>>()
    interface Node {
      readonly version?: string
      readonly dependencies?: Record<string, Node>
    }
    const visit = (node: Node): void => {
      for (const [name, each] of Object.entries(node.dependencies ?? {})) {
        if (peers.includes(name) && each.version)
          versions.set(name, (versions.get(name) ?? new Set()).add(each.version))
        visit(each)
      }
    }
    visit(tree)
    expect(tree.problems ?? []).toEqual([])
    expect([...versions].map(([name, found]) => [name, found.size])).toEqual(
      expect.arrayContaining(peers.map((name) => [name, 1])),
    )
  })

  it('they are peers, never dependencies, and no dependency runs a script when installed', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >
    for (const name of peers)
      expect([name in (manifest.peerDependencies ?? {}), name in (manifest.dependencies ?? {})]).toEqual([true, false])
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const { scripts = {} } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
        scripts?: Record<string, string>
      }
      expect(['preinstall', 'install', 'postinstall'].filter((script) => script in scripts)).toEqual([])
    }
  })
})
