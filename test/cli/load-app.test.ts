import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDirectory, kumu, removeDirectories } from './support/kumu'

afterEach(removeDirectories)

const row = (path: string, id: string): string => `GET  ${path}  ${id}  -  -\n`

describe('APP', () => {
  it.each([
    ['plain.cjs', row('/plain', 'plain')],
    ['module.mjs', row('/module', 'module')],
    ['module', row('/module', 'module')],
    ['factories.ts', row('/made', 'made')],
    ['./factories#makeLater', row('/later', 'later')],
    ['factories.ts#promised', row('/later', 'later')],
    ['factories.ts#router', row('/alone', 'alone')],
    ['factories.ts#host', 'GET  /second    second  -  -\nGET  /v1/first  first   -  -\n'],
  ])('%s', async (name, out) => {
    expect(await kumu(['routes', name])).toEqual({ code: 0, out, err: '' })
  })

  it('is a module whose package is of ES modules', async () => {
    const dir = createDirectory()
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
    writeFileSync(
      join(dir, 'app.js'),
      `import app from ${JSON.stringify(join(__dirname, 'fixtures/plain.cjs'))}\nexport { app }`,
    )
    const { code, out, err } = await kumu(['routes', 'app.js'], { cwd: dir })
    expect({ code, out, err }).toEqual({ code: 0, out: row('/plain', 'plain'), err: '' })
  })

  it.each([
    ['no module', 'gone.ts', 'there is no module gone.ts'],
    ['no export of that name', 'plain.cjs#gone', /^plain\.cjs has no export "gone"; it has /],
    [
      'no export of the usual names',
      'check/broken-users.ts',
      'check/broken-users.ts has no export "default" or "app"; it has Bare, Nested, Users: name one, check/broken-users.ts#Bare',
    ],
    [
      'something else',
      'factories.ts#nothing',
      /^factories\.ts#nothing is no application: it is an object of the class/,
    ],
    [
      'a function that wants something',
      'factories.ts#wants',
      /^wants of factories\.ts wants 1 argument and gets none: /,
    ],
    ['a module that fails', 'text-error.ts', /in JSON/],
  ])('%s is said in one line', async (_what, name, message) => {
    const { code, out, err } = await kumu(['routes', name])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err.replace(/^kumu: /, '').trimEnd()).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    )
  })

  it.each([['typed.cts'], ['shop.ts']])('%s without a loader says what to do', async (name) => {
    const { code, err } = await kumu(['routes', name], { register: 'register-sources' })
    expect(code).toBe(1)
    expect(err).toContain(`${name} is TypeScript, which node reads with a loader`)
  })

  it('of another Kumu is refused: its facts are strangers to this one', async () => {
    const dir = createDirectory()
    mkdirSync(join(dir, 'node_modules/kumu'), { recursive: true })
    writeFileSync(join(dir, 'node_modules/kumu/package.json'), '{"name":"kumu","version":"9.9.9"}')
    writeFileSync(join(dir, 'app.cjs'), 'exports.app = {}')
    const { code, err } = await kumu(['check', 'app.cjs'], { cwd: dir })
    expect(code).toBe(1)
    expect(err).toMatch(
      /^kumu: \S+app\.cjs uses the Kumu of \S+node_modules.kumu, and this is that of .*: run "npx kumu"/,
    )
  })

  it('of this Kumu behind a link is not', async () => {
    const dir = createDirectory()
    mkdirSync(join(dir, 'node_modules'))
    symlinkSync(join(__dirname, '../..'), join(dir, 'node_modules/kumu'), 'junction')
    writeFileSync(
      join(dir, 'app.cjs'),
      `module.exports = require(${JSON.stringify(join(__dirname, 'fixtures/plain.cjs'))})`,
    )
    expect((await kumu(['routes', 'app.cjs'], { cwd: dir })).out).toBe(row('/plain', 'plain'))
  })
})
