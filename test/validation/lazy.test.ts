import type { ParamPlan } from '../../src/route/plan'

function refuseToLoad(name: string): () => never {
  return () => {
    throw new Error(`${name} was loaded`)
  }
}

const text: ParamPlan = {
  index: 0,
  source: 'query',
  name: 'q',
  required: true,
  where: 'Things.list, parameter 0',
  type: { kind: 'string', list: false },
}

describe('an application without a class parameter', () => {
  test('loads neither library', () => {
    jest.isolateModules(() => {
      jest.doMock('class-validator', refuseToLoad('class-validator'))
      jest.doMock('class-transformer', refuseToLoad('class-transformer'))
      const { createValidation } = require('../../src/validation/pipe') as typeof import('../../src/validation/pipe')
      const { createToPlain } = require('../../src/validation/plain') as typeof import('../../src/validation/plain')
      require('../../src/validation/nullable')
      const validation = createValidation({}, () => undefined)
      validation.check(text)
      expect(validation.pipe('x', text)).toBe('x')
      class Row {
        id = 1
      }
      const row = new Row()
      expect(createToPlain()(row)).toBe(row)
      const body: ParamPlan = {
        ...text,
        source: 'body',
        name: undefined,
        type: { kind: 'class', class: Row, list: false },
      }
      expect(() => validation.check(body)).toThrow(/was loaded/)
    })
  })
})
