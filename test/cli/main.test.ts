import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { fixtures, kumu, lines } from './support/kumu'

const { version } = require('../../package.json') as { readonly version: string }

describe('kumu', () => {
  it.each([['--help'], ['-h']])('%s names every command', async (flag) => {
    const { code, out, err } = await kumu([flag])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.match(/^ {2}\w+/gm)?.map((each) => each.trim())).toEqual(['routes', 'check', 'openapi', 'types'])
  })

  it.each([['--version'], ['-v']])('%s is that of the package', async (flag) => {
    expect(await kumu([flag])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it.each([
    ['routes', 'Usage: kumu routes APP [--json]'],
    ['check', 'Usage: kumu check APP [--allow CODE …] [--json]'],
    ['openapi', 'Usage: kumu openapi APP [--yaml] [--out FILE]'],
    ['types', 'Usage: kumu types APP [--out FILE]'],
  ])('%s --help tells its usage', async (command, usage) => {
    const { code, out, err } = await kumu([command, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines(out)[0]).toBe(usage)
    expect(out).toContain('--verbose')
  })

  it.each([
    ['nothing', [], 'kumu: a command is missing', 'kumu COMMAND'],
    ['an unknown command', ['serve'], 'kumu: there is no command "serve"', 'kumu COMMAND'],
    ['an unknown flag and no command', ['--loud'], "kumu: Unknown option '--loud'", 'kumu COMMAND'],
    ['an unknown flag', ['routes', 'a.js', '--loud'], "kumu routes: Unknown option '--loud'", 'kumu routes APP'],
    ['a flag of another command', ['routes', 'a.js', '--yaml'], "kumu routes: Unknown option '--yaml'", 'kumu routes'],
    ['a flag without its value', ['types', 'a.js', '--out'], "kumu types: Option '--out <value>'", 'kumu types APP'],
    ['no operand', ['check'], 'kumu check: APP is missing', 'kumu check APP'],
    ['an operand too many', ['check', 'a.js', 'b.js'], 'kumu check: nobody asked for "b.js"', 'kumu check APP'],
  ])('%s is refused with a usage line and exit code 2', async (_what, args, message, usage) => {
    const { code, out, err } = await kumu(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    const [first, second, ...rest] = lines(err)
    expect(first?.startsWith(message)).toBe(true)
    expect(second?.startsWith(`Usage: ${usage}`)).toBe(true)
    expect(rest).toEqual([])
  })

  it('takes flags before the command as well', async () => {
    expect((await kumu(['--json', 'routes', 'plain.cjs'])).out).toContain('"path": "/plain"')
  })

  it('says a failure in one line, with exit code 1', async () => {
    const failed = { code: 1, out: '', err: 'kumu: no database at all\n' }
    expect(await kumu(['routes', 'factories.ts#fails'])).toEqual(failed)
  })

  it.each([
    ['--verbose', ['--verbose'], {}],
    ['DEBUG', [], { DEBUG: '1' }],
  ])('with %s shows the stack of a failure', async (_what, flags, environment) => {
    const { code, err } = await kumu(['routes', 'factories.ts#fails', ...flags], { environment })
    expect(code).toBe(1)
    expect(err).toMatch(/^kumu: no database at all\nError: no database[^]*\n\s+at .*factories\.ts:\d+/)
  })

  it('keeps standard output to itself, and ends whatever the application has left running', async () => {
    const { code, out, err } = await kumu(['routes', 'noisy.ts'])
    expect({ code, err }).toEqual({ code: 0, err: 'connecting to the database\n' })
    expect(out).toBe('GET  /noisy  noisy  -  -\n')
  })

  it('ends quietly where nobody reads on', async () => {
    const { code, err } = await kumu(['routes', 'plain.cjs'], {
      environment: { NODE_OPTIONS: `-r ${join(fixtures, '../support/closed-pipe.cjs')}` },
    })
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  it.each([
    ['colours on a terminal', {}, true],
    ['none where NO_COLOR is set', { NO_COLOR: '1' }, false],
  ])('%s', async (_what, environment, coloured) => {
    const NODE_OPTIONS = `-r ${join(fixtures, '../support/terminal.cjs')}`
    const { out } = await kumu(['routes', 'plain.cjs'], { environment: { ...environment, NODE_OPTIONS } })
    expect(out.includes('\u001b[')).toBe(coloured)
    expect(stripVTControlCharacters(out)).toBe('GET  /plain  plain  -  -\n')
  })
})
