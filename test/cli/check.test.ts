import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createDirectory, fixtures, kumu, lines, removeDirectories } from './support/kumu'

afterEach(removeDirectories)

/** What is found in a fixture: a line each, without the file and the cure. */
async function found(name: string): Promise<string[]> {
  const { out } = await kumu(['check', `check/${name}.ts`])
  return lines(out).map((line) => {
    const [, level, rest, code] = /^check[\\/][\w-]+\.ts: (error|warning): (.*) \[([\w-]+)\]$/.exec(line) ?? []
    return `${level} ${code} ${rest?.split('. ', 1)[0]}`
  })
}

describe('kumu check APP', () => {
  it('says how many routes there are where nothing is found', async () => {
    expect(await kumu(['check', 'check/sound.ts'])).toEqual({ code: 0, out: '17 routes, nothing found\n', err: '' })
  })

  it('finds nothing in the showcase', async () => {
    const dir = createDirectory()
    const app = join(__dirname, '../../samples/showcase/app.ts')
    writeFileSync(
      join(dir, 'app.cjs'),
      `exports.app = require(${JSON.stringify(app)}).createShowcase(${JSON.stringify(dir)})`,
    )
    const { code, out } = await kumu(['check', 'app.cjs'], { cwd: dir })
    expect(out).toMatch(/^\d+ routes, nothing found\n$/)
    expect(code).toBe(0)
  })

  it('prints one line a finding: file, level, class and method, what, cure, code; exit code 1', async () => {
    const { code, out, err } = await kumu(['check', 'check/access.ts'])
    expect(code).toBe(1)
    expect(out).toBe(
      'check/access.ts: error: guarded: it is for some principals only, and the application cannot verify anybody. ' +
        'Give createApp({ auth: { verify } }). [unverified-access]\n',
    )
    expect(err).toBe('1 finding in 2 routes\n')
  })

  it.each([
    [
      'shadowed',
      [
        'error shadowed-route Numbered.one: GET /\\/items\\/(\\d+)/ is never reached: /items/7, for one, goes to Items.one (/items/:id)',
        'error shadowed-route Narrow.some: GET /\\/b\\/[a-z]{2,}\\.txt/ is never reached: /b/aa.txt, for one, goes to Wide.all (/\\/(?:a|b)\\/.+/)',
      ],
    ],
    [
      'unread',
      [
        'warning unread-parameter Items.one: nobody reads the parameter "shop" of the path "/shops/:shop/items/:id"',
        'warning unread-parameter Kinds.one: nobody reads the parameter "kind" of the path "/\\/(?<kind>x|y)/"',
        'warning unread-parameter pages: nobody reads the parameter "rest" of the path "/pages/*rest"',
        'warning unread-parameter prefix: no route reads the parameter "tenant" of the prefix "/:tenant"',
      ],
    ],
    [
      'missing',
      [
        'error missing-parameter Archive.list, parameter 0 (year): it is required, and /archive is a form of the path "/archive{/:year}" without "year": it would always be 400',
        'error missing-parameter Letters.one, parameter 0 (digit): the path /\\/letters-(?<letter>[a-z])/ has no parameter "digit"',
        'error missing-parameter made, parameter 0: the path /made/:id has no parameter "key"',
      ],
    ],
    [
      'classes',
      [
        'error unruled-class bare, parameter 0: the class Bare has no validation rules that apply here',
        'warning unchecked-elements Sheets.create, parameter 0: Sheet.labels is a list, and nothing says what its elements are',
        'warning unchecked-elements Sheets.create, parameter 0: Row.cells is a list, and nothing says what its elements are',
      ],
    ],
    [
      'media',
      [
        'warning unreachable-media-type Media.a: it produces application/yaml, and no codec writes plain data as that',
        'warning unreachable-media-type Media.b: it produces text/csv, and no codec writes plain data as that',
        'error unreachable-media-type Media.b: it produces application/pdf, and no codec writes plain data as that',
        'error unreachable-media-type Media.c: it consumes text/csv, and no codec makes of that what its body is declared as',
        'error unreachable-media-type Media.c: it consumes application/pdf, and no codec makes of that what its body is declared as',
      ],
    ],
    [
      'throws',
      [
        'warning undocumented-error Things.add: it throws Locked, and its documents know of no 423',
        'warning undocumented-error Things.add: it throws Conflict, and its documents know of no 409',
        'warning undocumented-error Things.take: it throws OutOfStock, and its documents know of no 409',
      ],
    ],
    [
      'access',
      ['error unverified-access guarded: it is for some principals only, and the application cannot verify anybody'],
    ],
    ['broken-decorator', ['error start Users: the path "users" of @Resource does not start with a slash']],
    [
      'broken-options',
      [
        'error start Users.one, parameter 0 (key): the path "/users/:id" has no parameter "key"',
        'error start prefix: "api" does not start with a slash',
      ],
    ],
  ])('finds in %s.ts what is wrong, and nothing else', async (name, expected) => {
    expect(await found(name)).toEqual(expected)
  })

  it('finds all that keeps an application from starting, each in the file of its class', async () => {
    const { code, out, err } = await kumu(['check', 'check/broken.ts'])
    expect(code).toBe(1)
    expect(lines(out).map((line) => line.replace(/: error: ([^:]+): .*/, ' $1'))).toEqual([
      'check/broken.ts Silent',
      'check/broken-users.ts Users.one, parameter 0 (key)',
      'check/broken-users.ts Users.create, parameter 0',
      'check/broken-users.ts Users.replace, parameter 0',
      'check/broken-users.ts Users.nest, parameter 0',
      'check/broken-users.ts Users.remove',
      'check/broken.ts Wants',
      'check/broken.ts Wants.two',
      'check/broken.ts odd',
      'check/broken.ts Parts.all',
    ])
    expect(out).toContain('GET /users/:user/parts is served by Users.parts already')
    expect(err).toBe('10 findings in 2 routes\n')
  })

  it('--allow passes over findings of a kind', async () => {
    const { code, out, err } = await kumu(['check', 'check/unread.ts', '--allow', 'unread-parameter'])
    expect({ code, out, err }).toEqual({ code: 0, out: '4 routes, nothing found\n', err: '' })
    const both = ['--allow', 'unruled-class', '--allow', 'unchecked-elements']
    expect((await kumu(['check', 'check/classes.ts', ...both])).code).toBe(0)
    expect((await kumu(['check', 'check/classes.ts', ...both.slice(2)])).code).toBe(1)
  })

  it.each([
    ['odd', 'there is no code "odd"'],
    ['start', 'what keeps an application from starting cannot be allowed'],
  ])('--allow %s is refused with exit code 2', async (code, message) => {
    const outcome = await kumu(['check', 'check/sound.ts', '--allow', code])
    expect([outcome.code, lines(outcome.err)[0]]).toEqual([2, `kumu check: ${message}`])
  })

  it('--json prints findings as data', async () => {
    const [sound, access] = await Promise.all([
      kumu(['check', 'check/sound.ts', '--json']),
      kumu(['check', 'check/access.ts', '--json']),
    ])
    expect([sound.code, JSON.parse(sound.out)]).toEqual([0, []])
    expect([access.code, JSON.parse(access.out)]).toEqual([
      1,
      [
        {
          file: 'check/access.ts',
          code: 'unverified-access',
          level: 'error',
          where: 'guarded',
          what: 'it is for some principals only, and the application cannot verify anybody',
          cure: 'Give createApp({ auth: { verify } })',
        },
      ],
    ])
  })

  it('a failure that is no mistake in the declarations is a failure', async () => {
    expect(await kumu(['check', 'factories.ts#fails'])).toEqual({ code: 1, out: '', err: 'kumu: no database at all\n' })
  })
})

describe('two copies of a library', () => {
  const kumuPath = JSON.stringify(join(fixtures, 'plain.cjs'))

  /** A package of a dependency's own, under its `node_modules`. */
  function plant(dir: string, name: string, text: string): string {
    const folder = join(dir, 'node_modules/other/node_modules', name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'index.js'), text)
    return folder
  }

  it('are found where both are loaded', async () => {
    const dir = createDirectory()
    const folder = plant(dir, 'koa', 'module.exports = class Koa {}')
    writeFileSync(join(dir, 'app.cjs'), `require(${JSON.stringify(folder)})\nmodule.exports = require(${kumuPath})`)
    const { code, out } = await kumu(['check', 'app.cjs'], { cwd: dir })
    expect(code).toBe(1)
    expect(lines(out)).toHaveLength(1)
    expect(out).toMatch(
      /^app\.cjs: warning: koa: 2 copies of it are loaded: \S+ and \S+\. Install one: .* \[two-copies\]$/m,
    )
    expect(out).toContain(folder)
  })

  it('are not where only one is', async () => {
    const dir = createDirectory()
    plant(dir, 'koa', 'module.exports = class Koa {}')
    writeFileSync(join(dir, 'app.cjs'), `module.exports = require(${kumuPath})`)
    expect((await kumu(['check', 'app.cjs'], { cwd: dir })).code).toBe(0)
  })

  it('are found by the class of a reply that another copy decorates: nothing of it would be left out', async () => {
    const dir = createDirectory()
    const own = dirname(require.resolve('class-transformer/package.json'))
    const folder = plant(dir, 'class-transformer', '')
    cpSync(join(own, 'cjs'), join(folder, 'cjs'), { recursive: true })
    writeFileSync(
      join(dir, 'app.cjs'),
      `const { createApp, definePlan } = require(${JSON.stringify(join(fixtures, 'doors.cjs'))})
      const { Exclude } = require(${JSON.stringify(join(folder, 'cjs/index.js'))})
      class User {}
      Exclude()(User.prototype, 'password')
      const type = { kind: 'class', class: User, list: true }
      const plan = definePlan({ id: 'users', method: 'GET', path: '/users', reply: { type }, call: () => [] })
      exports.app = createApp({ plans: [plan] })`,
    )
    const { code, out } = await kumu(['check', 'app.cjs'], { cwd: dir })
    expect(code).toBe(1)
    expect(out).toMatch(/^app\.cjs: error: users: the class is decorated by another copy of class-transformer/m)
  })
})
