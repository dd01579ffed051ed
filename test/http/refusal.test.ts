import { BadRequest } from '../../src/errors'
import { refusal } from '../../src/http/refusal'

describe('refusal(source, pointer, code, detail)', () => {
  it('is a 400 with one violation', () => {
    const error = refusal('query', '/a~1b', 'type', 'must be a number')
    expect(error).toBeInstanceOf(BadRequest)
    expect(error).toMatchObject({ status: 400, code: 'type', detail: 'must be a number' })
    expect(error.errors).toEqual([{ in: 'query', pointer: '/a~1b', code: 'type', detail: 'must be a number' }])
  })
})
