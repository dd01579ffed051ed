import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { ArrayMaxSize, IsArray, IsInt, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator'
import { Exclude, Type } from 'class-transformer'
import { Body, createApp, Get, Limit, Post, Query, Resource, type AppOptions, type Codec } from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

const start = (resource: object, options: AppOptions = {}): Promise<Served> =>
  serve(createApp({ resources: [resource], logger: { error: () => undefined }, ...options }))

describe('B92: a reply of 10,000 rows', () => {
  const plain = Array.from({ length: 10_000 }, (_, id) => ({
    id,
    name: `row ${id}`,
    price: id / 10,
    tags: ['a', 'b'],
    at: { city: 'Ulm', zip: '89073' },
    on: id % 2 === 0,
    none: null,
  }))

  class Account {
    constructor(
      readonly id: number,
      readonly name: string,
    ) {}
    @Exclude() readonly password = 'hunter2'
  }
  const instances = plain.map(({ id, name }) => new Account(id, name))

  /** What a codec is given shows what was made of the value; how long it took is told by the clock around it. */
  function spied(): { codec: Codec; given: unknown[] } {
    const given: unknown[] = []
    return { given, codec: { type: 'application/json', encode: (value) => (given.push(value), JSON.stringify(value)) } }
  }

  @Resource('/rows')
  class Rows {
    @Get('/plain') plain() {
      return plain
    }
    @Get('/instances') instances() {
      return instances
    }
    @Get('/wrapped') wrapped() {
      return { data: plain }
    }
  }

  it('plain rows go to the encoder as they are: not one is copied', async () => {
    const { codec, given } = spied()
    const { ask } = await start(Rows, { codecs: [codec] })
    expect((await ask('GET', '/rows/plain')).json()).toEqual(plain)
    expect(given[0]).toBe(plain)
    await ask('GET', '/rows/wrapped')
    expect((given[1] as { data: unknown }).data).toBe(plain)
  })

  it('no getter, toJSON or prototype is looked up but what JSON.stringify itself looks up', async () => {
    let looked = 0
    const row = Object.defineProperty({ id: 1 }, 'hidden', { enumerable: false, get: () => ++looked })
    @Resource('/hidden')
    class Hidden {
      @Get() get() {
        return Array.from({ length: 100 }, () => row)
      }
    }
    const { ask } = await start(Hidden)
    expect((await ask('GET', '/hidden')).json<unknown[]>()).toHaveLength(100)
    expect(looked).toBe(0)
  })

  interface Measured {
    readonly bare: number
    readonly reply: number
    readonly tenth: number
    readonly bareInstances: number
    readonly instances: number
  }

  /**
   * Milliseconds, each the least of many runs, of JSON.stringify and of all between a handler's return and the encoder's.
   * In a process of its own: in jest's sandbox every global is looked up through a proxy, which is what would be measured.
   */
  function measure(): Measured {
    const entry = process.env.KUMU_TEST_BUILD === '1' ? './dist/index.js' : './src/index.ts'
    const script = `
      const { createApp, definePlan } = require('${entry}')
      const { Exclude } = require('class-transformer')
      const plain = Array.from({ length: 10_000 }, (_, id) => ({ id, name: 'row ' + id, price: id / 10, tags: ['a', 'b'], at: { city: 'Ulm' }, on: id % 2 === 0, none: null }))
      class Account { constructor({ id, name }) { Object.assign(this, { id, name, password: 'hunter2' }) } }
      Exclude()(Account.prototype, 'password')
      const instances = plain.map((row) => new Account(row))
      const values = { plain, tenth: plain.slice(0, 1000), instances }
      const times = { plain: [], tenth: [], instances: [] }
      let began
      const plans = Object.keys(values).map((id) => definePlan({ id, method: 'GET', path: '/' + id, call: () => (began = [id, performance.now()], values[id]) }))
      const encode = (value) => { const text = JSON.stringify(value); times[began[0]].push(performance.now() - began[1]); return text }
      function bare(value) {
        const all = []
        for (let n = 0; n < 20; n++) { const start = performance.now(); JSON.stringify(value); all.push(performance.now() - start) }
        return Math.min(...all)
      }
      const server = createApp({ plans, codecs: [{ type: 'application/json', encode }] }).listen(0, '127.0.0.1', async () => {
        for (let n = 0; n < 20; n++) for (const id of Object.keys(values)) await (await fetch('http://127.0.0.1:' + server.address().port + '/' + id)).arrayBuffer()
        const [reply, tenth, rows] = Object.values(times).map((each) => Math.min(...each))
        console.log(JSON.stringify({ bare: bare(plain), reply, tenth, bareInstances: bare(instances), instances: rows }))
        process.exit(0)
      })`
    return JSON.parse(
      execFileSync(process.execPath, ['-r', 'tsx/cjs', '-e', script], {
        cwd: join(__dirname, '../..'),
        encoding: 'utf8',
      }),
    ) as Measured
  }

  it('costs little more than JSON.stringify, and no more a row than one of 1,000', () => {
    const { bare, reply, tenth, bareInstances, instances } = measure()
    expect(reply).toBeLessThan(3 * bare)
    expect(reply).toBeLessThan(40 * tenth)
    // Where a class says what is shown, each row is made anew.
    expect(instances).toBeLessThan(25 * bareInstances)
  })
})

describe('B93: limits come before classes', () => {
  let built = 0
  let checked = 0

  class Leaf {
    @IsInt() n!: number
    constructor() {
      built++
    }
  }

  class Tree {
    @IsOptional() @IsString() @MaxLength(100) text?: string
    @IsOptional() @IsArray() @ArrayMaxSize(5) @ValidateNested({ each: true }) @Type(() => Leaf) leaves?: Leaf[]
    @IsOptional() @IsArray() @IsString({ each: true }) words?: string[]
    @IsOptional() @ValidateNested() @Type(() => Tree) next?: Tree
    constructor() {
      built++
    }
  }

  @Resource('/trees')
  class Trees {
    @Post() one(@Body() body: Tree) {
      checked++
      return { words: body.words?.length }
    }
    @Post('/many') @Limit({ items: 3 }) many(@Body([Tree]) body: Tree[]) {
      checked++
      return { count: body.length }
    }
    @Get() search(@Query() query: Tree) {
      checked++
      return { text: query.text }
    }
  }

  beforeEach(() => {
    built = checked = 0
  })

  const chain = (depth: number): string => `${'{"next":'.repeat(depth)}{}${'}'.repeat(depth)}`
  const leaves = (count: number): string => `{"leaves":[${Array.from({ length: count }, () => '{"n":1}').join()}]}`
  const xmlLeaves = (count: number): string => `<a><leaves>${'<item><n>1</n></item>'.repeat(count)}</leaves></a>`

  it.each([
    ['a list with too many elements', '/trees', 'application/json', leaves(10_001), 400],
    ['elements in lists of lists', '/trees', 'application/json', `{"words":[${'[],'.repeat(10_001)}[]]}`, 400],
    [
      'an object with too many members',
      '/trees',
      'application/json',
      `{${Array.from({ length: 1001 }, (_, n) => `"k${n}":1`).join()}}`,
      400,
    ],
    ['too many levels', '/trees', 'application/json', chain(40), 400],
    ['very many levels', '/trees', 'application/json', chain(50_000), 400],
    ['too many bytes', '/trees', 'application/json', JSON.stringify({ text: 'x'.repeat(1024 ** 2) }), 413],
    ['too many of a route of its own limits', '/trees/many', 'application/json', '[{},{},{},{}]', 400],
    ['a form with too many pairs', '/trees', 'application/x-www-form-urlencoded', 'words=a&'.repeat(1001), 400],
    ['XML with too many items', '/trees', 'application/xml', xmlLeaves(10_001), 400],
    ['XML with too many levels', '/trees', 'application/xml', `${'<next>'.repeat(100)}${'</next>'.repeat(100)}`, 400],
    ['too many lines', '/trees/many', 'application/x-ndjson', '{}\n{}\n{}\n{}\n', 400],
  ])('%s: nothing is built', async (_name, path, type, body, status) => {
    const { ask } = await start(Trees)
    const begin = performance.now()
    const answer = await ask('POST', path, { headers: { 'Content-Type': type }, body }).catch(
      (error: NodeJS.ErrnoException) => error,
    )
    // A body that is refused by its announced length may still be on its way when the connection ends.
    if ('status' in answer) expect(answer.status).toBe(status)
    else expect([status, answer.code]).toEqual([413, expect.stringMatching(/EPIPE|ECONNRESET/)])
    expect([built, checked]).toEqual([0, 0])
    expect(performance.now() - begin).toBeLessThan(1500)
  })

  it('a query with too many pairs builds nothing', async () => {
    const { ask } = await start(Trees)
    expect((await ask('GET', `/trees?${'text=a&'.repeat(1001)}`)).status).toBe(400)
    expect([built, checked]).toEqual([0, 0])
  })

  it.each([
    ['a list as long as it may be', '/trees', `{"words":[${Array.from({ length: 10_000 }, () => '"x"').join()}]}`, 200],
    ['rules on length', '/trees', leaves(10_000), 422],
    ['a text that is too long', '/trees', JSON.stringify({ text: 'x'.repeat(1_000_000) }), 422],
    ['a chain of classes', '/trees', chain(25), 200],
    ['three of three', '/trees/many', '[{},{},{}]', 200],
  ])('%s is quick: %s', async (_name, path, body, status) => {
    const { ask } = await start(Trees)
    const begin = performance.now()
    expect((await ask('POST', path, { headers: { 'Content-Type': 'application/json' }, body })).status).toBe(status)
    expect(performance.now() - begin).toBeLessThan(1500)
    expect(checked).toBe(status === 200 ? 1 : 0)
  })
})
