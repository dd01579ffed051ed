import { IsBoolean, IsInt, IsOptional, IsString, Length, Min, ValidateNested } from 'class-validator'
import { Type } from 'class-transformer'
import {
  Authorize,
  Collection,
  createApp,
  created,
  NoSuchResource,
  NotImplemented,
  Resource,
  slice,
  type PageRequest,
  type Where,
} from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

class Address {
  @IsString() city!: string
}

class Employee {
  @IsInt() @Min(1) id!: number
  @IsString() @Length(1, 80) name!: string
  @IsBoolean() active!: boolean
  @IsOptional() @ValidateNested() @Type(() => Address) address?: Address
}

const employee = (id: number): Employee => ({ id, name: `Name ${id}`, active: id % 2 === 0 })
const five = [1, 2, 3, 4, 5].map(employee)

type Options = Partial<Parameters<typeof createApp>[0]>

const start = (resource: object, options: Options = {}): Promise<Served> =>
  serve(createApp({ resources: [resource], logger: { error: () => undefined }, ...options }))

describe('select', () => {
  async function* streamed() {
    yield* five
  }
  function* generated() {
    yield* five
  }

  const sources: ReadonlyArray<readonly [string, () => ReturnType<NonNullable<Collection<Employee>['select']>>]> = [
    ['an array', () => five],
    ['a promise of one', async () => five],
    ['a set', () => new Set(five)],
    ['a generator', generated],
    ['an async generator', streamed],
  ]

  describe.each(sources)('of %s', (_name, make) => {
    @Resource('/employees', { model: Employee })
    class Employees extends Collection<Employee> {
      override select() {
        return make()
      }
    }

    it.each([
      ['', 200, [1, 2, 3, 4, 5], 'employees 0-4/5'],
      ['?limit=2', 206, [1, 2], 'employees 0-1/5'],
      ['?offset=3&limit=2', 206, [4, 5], 'employees 3-4/5'],
      ['?offset=3&limit=9', 206, [4, 5], 'employees 3-4/5'],
      ['?range=1-2', 206, [2, 3], 'employees 1-2/5'],
      ['?range=-2', 206, [4, 5], 'employees 3-4/5'],
      ['?range=3-', 206, [4, 5], 'employees 3-4/5'],
      ['?id=3', 200, [3], 'employees 0-0/1'],
      ['?id=3&id=5', 200, [3, 5], 'employees 0-1/2'],
      ['?active=true', 200, [2, 4], 'employees 0-1/2'],
      ['?active=no&sort=-id', 200, [5, 3, 1], 'employees 0-2/3'],
      ['?active=false&limit=1&offset=1', 206, [3], 'employees 1-1/3'],
      ['?sort=-name&limit=1', 206, [5], 'employees 0-0/5'],
      ['?name=Name%204', 200, [4], 'employees 0-0/1'],
      ['?name=nobody', 200, [], 'employees */0'],
      ['?limit=0', 206, [], 'employees */5'],
    ])('GET %s', async (query, status, ids, range) => {
      const { ask } = await start(Employees)
      const answer = await ask('GET', `/employees${query}`)
      expect([answer.status, answer.headers['content-range'], answer.headers['accept-ranges']]).toEqual([
        status,
        range,
        'employees',
      ])
      expect(answer.json<Employee[]>().map(({ id }) => id)).toEqual(ids)
    })

    it.each(['?offset=5', '?range=7-8'])('GET %s is 416', async (query) => {
      const { ask } = await start(Employees)
      const answer = await ask('GET', `/employees${query}`)
      expect([answer.status, answer.headers['content-range']]).toEqual([416, 'employees */5'])
    })

    it.each([
      '?limit=-1',
      '?limit=x',
      '?id=x',
      '?active=maybe',
      '?unknown=1',
      '?sort=unknown',
      '?address=x',
      '?range=1-2&limit=3',
      '?__proto__=1',
      '?constructor=1',
    ])('GET %s is 400', async (query) => {
      const { ask } = await start(Employees)
      expect((await ask('GET', `/employees${query}`)).status).toBe(400)
    })

    it('projects', async () => {
      const { ask } = await start(Employees)
      expect((await ask('GET', '/employees?fields=id,name&limit=1')).json()).toEqual([{ id: 1, name: 'Name 1' }])
    })

    it('pages by Range too', async () => {
      const { ask } = await start(Employees)
      const answer = await ask('GET', '/employees', { headers: { Range: 'employees=1-3' } })
      expect([answer.status, answer.headers['content-range']]).toEqual([206, 'employees 1-3/5'])
    })
  })

  it('of a slice is as the class says, and it is told what is wanted', async () => {
    let asked: PageRequest | undefined
    @Resource('/staff/employees', { model: Employee, name: 'people', paged: { limit: 3, max: 4 } })
    class Employees extends Collection<Employee> {
      override select(page: PageRequest) {
        asked = page
        return slice(five.slice(page.offset, page.offset + page.limit), five.length)
      }
    }
    const { ask } = await start(Employees)
    const answer = await ask('GET', '/staff/employees?active=true&sort=-id,name&offset=1&limit=99')
    expect([answer.status, answer.headers['content-range']]).toEqual([206, 'people 1-4/5'])
    expect(asked).toMatchObject({
      offset: 1,
      limit: 4,
      sort: [
        { name: 'id', descending: true },
        { name: 'name', descending: false },
      ],
    })
    expect({ ...asked?.where }).toEqual({ active: [true] })
    expect((await ask('GET', '/staff/employees')).json<Employee[]>()).toHaveLength(3)
  })

  it('without a model lists, and knows no filters', async () => {
    @Resource('/words')
    class Words extends Collection<{ word: string }> {
      override select() {
        return [{ word: 'b' }, { word: 'a' }]
      }
    }
    const { ask } = await start(Words)
    expect((await ask('GET', '/words?sort=word')).json()).toEqual([{ word: 'a' }, { word: 'b' }])
    expect((await ask('GET', '/words?word=a')).status).toBe(400)
  })

  it('HEAD follows it', async () => {
    @Resource('/employees', { model: Employee })
    class Employees extends Collection<Employee> {
      override select() {
        return five
      }
    }
    const { ask } = await start(Employees)
    const head = await ask('HEAD', '/employees?limit=2')
    expect([head.status, head.headers['content-range'], head.bytes.length]).toEqual([206, 'employees 0-1/5', 0])
  })
})

@Resource('/employees', { model: Employee })
class Writable extends Collection<Employee> {
  readonly rows = new Map<number, Employee>(five.map((row) => [row.id, row]))
  override select() {
    return this.rows.values()
  }
  override create(body: Employee) {
    this.rows.set(body.id, body)
    return created(body, `/employees?id=${body.id}`)
  }
  override update(body: Employee) {
    if (!this.rows.has(body.id)) throw new NoSuchResource()
    this.rows.set(body.id, body)
    return body.active ? body : undefined
  }
  override delete(where: Where) {
    for (const [id, row] of this.rows) {
      if (Object.entries(where).every(([name, values]) => values.includes(row[name as 'id']))) this.rows.delete(id)
    }
  }
}

describe('create, update, delete', () => {
  it('POST is 201 with the address', async () => {
    const { ask } = await start(new Writable())
    const answer = await ask('POST', '/employees', { body: employee(6) })
    expect([answer.status, answer.headers.location, answer.json()]).toEqual([201, '/employees?id=6', employee(6)])
    expect((await ask('GET', '/employees?id=6')).json()).toEqual([employee(6)])
  })

  it('POST without a reply of its own is 201 as well', async () => {
    @Resource('/plain', { model: Employee })
    class Plain extends Collection<Employee> {
      override create(body: Employee) {
        return body.id === 1 ? undefined : body
      }
    }
    const { ask } = await start(Plain)
    expect(await ask('POST', '/plain', { body: employee(2) })).toMatchObject({
      status: 201,
      text: JSON.stringify(employee(2)),
    })
    expect(await ask('POST', '/plain', { body: employee(1) })).toMatchObject({ status: 201, text: '' })
  })

  it.each(['POST', 'PUT'])('%s takes an instance of the model that obeys its rules', async (method) => {
    let seen: unknown
    @Resource('/employees', { model: Employee })
    class Seeing extends Collection<Employee> {
      override create(body: Employee) {
        seen = body
        return body
      }
      override update(body: Employee) {
        seen = body
        return body
      }
    }
    const { ask } = await start(Seeing)
    expect(
      (await ask(method, '/employees', { body: { ...employee(1), address: { city: 'Ulm' } } })).status,
    ).toBeLessThan(300)
    expect(seen).toBeInstanceOf(Employee)
    expect((seen as Employee).address).toBeInstanceOf(Address)
  })

  it.each([
    [{ ...employee(1), id: '1' }, '/id', 422],
    [{ ...employee(1), isAdmin: true }, '/isAdmin', 422],
    [{ ...employee(1), address: { city: 1 } }, '/address/city', 422],
    [{ ...employee(1), address: null }, '/address', 422],
    [[employee(1)], '', 422],
    ['{"__proto__":{"id":1}}', undefined, 422],
    ['{malformed', undefined, 400],
    ['', undefined, 400],
  ])('POST %j is refused', async (body, pointer, status) => {
    const { ask } = await start(new Writable())
    const answer = await ask('POST', '/employees', { body, headers: { 'Content-Type': 'application/json' } })
    expect(answer.status).toBe(status)
    if (pointer !== undefined)
      expect(answer.json<{ errors: Array<{ pointer: string }> }>().errors.map((error) => error.pointer)).toContain(
        pointer,
      )
  })

  it('PUT is 200 with what it returns, 204 with nothing, and its own errors', async () => {
    const { ask } = await start(new Writable())
    expect(await ask('PUT', '/employees', { body: employee(2) })).toMatchObject({
      status: 200,
      text: JSON.stringify(employee(2)),
    })
    expect(await ask('PUT', '/employees', { body: employee(3) })).toMatchObject({ status: 204, text: '' })
    expect((await ask('PUT', '/employees', { body: employee(9) })).status).toBe(404)
  })

  it('DELETE takes the filters of the query, typed', async () => {
    const { ask } = await start(new Writable())
    expect(await ask('DELETE', '/employees?id=2&id=4')).toMatchObject({ status: 204, text: '' })
    expect(await ask('DELETE', '/employees?active=no')).toMatchObject({ status: 204, text: '' })
    expect((await ask('GET', '/employees')).json()).toEqual([])
  })

  it.each([
    '',
    '?',
    '?limit=2',
    '?offset=1',
    '?sort=id',
    '?id=2&limit=1',
    '?id=1&fields=id',
    '?id=1&range=0-0',
    '?id=1&unknown=1',
    '?unknown=1',
    '?id=x',
    '?__proto__=1',
  ])('DELETE %j names nothing, and is refused', async (query) => {
    const resource = new Writable()
    const { ask } = await start(resource)
    const answer = await ask('DELETE', `/employees${query}`)
    expect([answer.status, resource.rows.size]).toEqual([400, 5])
  })
})

describe('what is left out', () => {
  @Resource('/employees', { model: Employee })
  class ReadOnly extends Collection<Employee> {
    override select() {
      return five
    }
  }

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s is 405 or 501, never run', async (method) => {
    const { ask } = await start(ReadOnly)
    const answer = await ask(method, '/employees', { body: employee(1) })
    // PATCH is no method of a collection: no route of the application knows it.
    expect([answer.status, answer.headers.allow]).toEqual([method === 'PATCH' ? 501 : 405, 'GET, HEAD, OPTIONS'])
  })

  it('OPTIONS says what there is', async () => {
    const { ask } = await start(ReadOnly)
    expect(await ask('OPTIONS', '/employees')).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } })
    const all = await start(new Writable())
    expect((await all.ask('OPTIONS', '/employees')).headers.allow).toBe('GET, HEAD, POST, PUT, DELETE, OPTIONS')
  })

  it('NotImplemented is 501', async () => {
    @Resource('/later', { model: Employee })
    class Later extends Collection<Employee> {
      override select(): never {
        throw new NotImplemented()
      }
      override create(): never {
        throw new NotImplemented('Not yet')
      }
    }
    const { ask } = await start(Later)
    expect((await ask('GET', '/later')).json()).toMatchObject({ status: 501, title: 'Not Implemented' })
    expect((await ask('POST', '/later', { body: employee(1) })).status).toBe(501)
  })
})

describe('at start', () => {
  it('a model is needed where bodies come in', () => {
    @Resource('/employees')
    class Modelless extends Collection<Employee> {
      override create(body: Employee) {
        return body
      }
    }
    expect(() => createApp({ resources: [Modelless] })).toThrow(/Modelless\.create, parameter 0.*model: Employee/)
  })

  it('a collection of nothing is a mistake', () => {
    @Resource('/nothing', { model: Employee })
    class Nothing extends Collection<Employee> {}
    expect(() => createApp({ resources: [Nothing] })).toThrow(/Nothing.*no operation/)
  })

  it('without @Resource it is none', () => {
    class Plain extends Collection<Employee> {
      override select() {
        return five
      }
    }
    expect(() => createApp({ resources: [Plain] })).toThrow(/Plain.*@Resource/)
  })

  it('a name that is no range unit is refused', () => {
    @Resource('/a', { name: 'two words', model: Employee })
    class Odd extends Collection<Employee> {
      override select() {
        return five
      }
    }
    expect(() => createApp({ resources: [Odd] })).toThrow(/two words/)
  })
})

it('decorators of the class hold for the verbs it brings', async () => {
  @Resource('/guarded', { model: Employee })
  @Authorize('admin')
  class Guarded extends Writable {}
  const { ask } = await start(Guarded, {
    auth: { verify: (who) => (who === 'Bearer a' ? { id: 'a', roles: ['admin'] } : undefined) },
  })
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) expect((await ask(method, '/guarded')).status).toBe(401)
  expect((await ask('GET', '/guarded', { headers: { Authorization: 'Bearer a' } })).status).toBe(200)
})

it('two collections share nothing', async () => {
  @Resource('/a', { model: Employee })
  class A extends Collection<Employee> {
    override select() {
      return five
    }
  }
  @Resource('/b', { model: Address })
  class B extends Collection<Address> {
    override create(body: Address) {
      return body
    }
  }
  const { ask } = await serve(createApp({ resources: [A, B] }))
  expect([(await ask('POST', '/a')).status, (await ask('GET', '/b')).status]).toEqual([405, 405])
  expect((await ask('POST', '/b', { body: { city: 'Ulm' } })).status).toBe(201)
  expect((await ask('GET', '/a?id=1')).status).toBe(200)
})

describe('count(where)', () => {
  function counting() {
    const asked: unknown[] = []

    @Resource('/counted', { model: Employee })
    class Counted extends Collection<Employee> {
      override select(page: PageRequest) {
        return slice(five.slice(page.offset, page.offset + page.limit))
      }
      override count(where: Where) {
        asked.push({ ...where })
        return Promise.resolve(five.length)
      }
    }
    return { Counted, asked }
  }

  it('tells the total of a slice that has none, with the filters', async () => {
    const { Counted, asked } = counting()
    const { ask } = await start(Counted)
    const answer = await ask('GET', '/counted?limit=2&id=1')
    expect(answer.headers['content-range']).toBe(`counted 0-1/${five.length}`)
    expect(asked).toEqual([{ id: [1] }])
  })

  it('is not asked where the client wants no count', async () => {
    const { Counted, asked } = counting()
    const { ask } = await start(Counted)
    const answer = await ask('GET', '/counted?limit=2', { headers: { Prefer: 'count=none' } })
    expect(answer.headers['content-range']).toBe('counted 0-1/*')
    expect(asked).toEqual([])
  })
})
