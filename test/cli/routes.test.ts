import { kumu, lines } from './support/kumu'

describe('kumu routes APP', () => {
  it('prints method, path, handler, access and input, by path', async () => {
    const { code, out, err } = await kumu(['routes', 'shop.ts'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines(out)).toEqual([
      'GET     /api/fruits            Fruits.list    -             page',
      'POST    /api/fruits            Fruits.create  seller|owner  body:Fruit[]',
      'DELETE  /api/fruits/:id        Fruits.remove  seller|owner  path.id:number',
      'GET     /api/fruits/:id        Fruits.one     user          path.id:number',
      'PUT     /api/fruits/:id/label  Fruits.label   rule          path.id:number body:bytes',
      'GET     /api/fruits/search     Fruits.search  -             query?:Filter query.limit?:integer',
    ])
  })

  it('--json prints the same as data', async () => {
    const { out } = await kumu(['routes', 'shop.ts', '--json'])
    const [list, create, remove, , label] = JSON.parse(out) as object[]
    expect(list).toMatchObject({
      method: 'GET',
      path: '/api/fruits',
      id: 'Fruits.list',
      access: null,
      deprecated: false,
    })
    expect(create).toMatchObject({
      access: { roles: ['seller', 'owner'], rule: false },
      input: [{ in: 'body', type: 'Fruit[]', required: true }],
    })
    expect((create as { consumes: string[] }).consumes).toContain('application/json')
    expect(remove).toMatchObject({
      deprecated: true,
      consumes: [],
      input: [{ in: 'path', name: 'id', type: 'number' }],
    })
    expect(label).toMatchObject({ access: { roles: [], rule: true } })
  })

  it('prints expressions as they are written', async () => {
    const { out } = await kumu(['routes', 'check/shadowed.ts'])
    expect(lines(out)).toContain(String.raw`GET  /\/items\/(\d+)/       Numbered.one  -  path.0:number`)
  })
})
