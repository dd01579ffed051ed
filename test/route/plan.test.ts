import { ConfigurationError, definePlan, type PlanInit } from 'kumu'

const ping: PlanInit = { id: 'ping', method: 'GET', path: '/ping', call: () => 'pong' }
const paging = { unit: 'rows', limit: 10, max: 100, status: 206, count: 'exact', sort: [], filter: [] } as const

describe('definePlan(init)', () => {
  it('fills in the defaults and freezes the plan with all its parts', () => {
    const plan = definePlan({ ...ping, params: [{ source: 'context' }], body: {}, paging })
    expect(plan).toMatchObject({
      id: 'ping',
      use: [],
      around: [],
      requireMatch: false,
      unknownQuery: 'refuse',
      params: [{ index: 0, source: 'context', required: true, where: 'ping, parameter 0' }],
      body: { consumes: [], required: true, raw: 'no', files: [], stream: false },
      reply: { status: 200, explicitStatus: false, nullStatus: 404, headers: [], produces: [] },
      doc: { tags: [], answers: [], throws: [] },
    })
    for (const part of [plan, plan.use, plan.params, plan.params[0], plan.body, plan.reply, plan.doc]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('null is 404 of what reads and 204 of all else; a status given is an explicit one', () => {
    expect(definePlan({ ...ping, method: 'HEAD' }).reply.nullStatus).toBe(404)
    expect(definePlan({ ...ping, method: 'POST', reply: { status: 201 } }).reply).toMatchObject({
      nullStatus: 204,
      status: 201,
      explicitStatus: true,
    })
  })

  it.each<[string, Partial<PlanInit>, RegExp]>([
    ['a method in small letters', { method: 'get' }, /ping.*"get".*"GET"/],
    ['a path without a slash', { path: 'ping' }, /ping.*"\/ping"/],
    ['nothing to call', { call: undefined }, /ping.*call/],
    ...['two words', '', 'a\r\nb', 'a=b'].map((unit): [string, Partial<PlanInit>, RegExp] => [
      `the unit ${JSON.stringify(unit)}`,
      { paging: { ...paging, unit } },
      /unit/,
    ]),
    ...['limit', 'sort', 'cursor'].map((name): [string, Partial<PlanInit>, RegExp] => [
      `a filter named ${name}`,
      { paging: { ...paging, filter: [{ name, type: { kind: 'string', list: false } }] } },
      new RegExp(`"${name}"`),
    ]),
  ])('refuses %s', (_, part, message) => {
    expect(() => definePlan({ ...ping, ...part })).toThrow(ConfigurationError)
    expect(() => definePlan({ ...ping, ...part })).toThrow(message)
  })
})
