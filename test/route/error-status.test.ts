import { HttpError, NoSuchResource } from '../../src/errors'
import { toHttpError } from '../../src/route/error-status'

const secret = 'hunter2'

const fails = (error: unknown) => () => {
  throw error
}

describe('toHttpError(error, rules)', () => {
  class Sold extends Error {}
  const sold = (error: unknown) => (error instanceof Sold ? 409 : undefined)

  it('leaves an HttpError alone, whatever the rules say', () => {
    const error = new NoSuchResource('gone fishing')
    expect(toHttpError(error, [() => 400])).toEqual({ error, unexpected: false })
    expect(toHttpError(error, [() => 400]).error).toBe(error)
  })

  it('asks the rules in turn', () => {
    const { error, unexpected } = toHttpError(new Sold('sold out'), [() => undefined, sold, () => 400])
    expect([error.status, error.detail, unexpected]).toEqual([409, 'sold out', false])
    expect(error.cause).toBeInstanceOf(Sold)
    expect(toHttpError('text', [() => 404]).error).toMatchObject({ status: 404, detail: undefined })
  })

  it('keeps the message of a mapped error back where it is a failure, or is not to be exposed', () => {
    expect(toHttpError(new Sold(secret), [() => 503]).error.detail).toBeUndefined()
    expect(toHttpError(Object.assign(new Sold(secret), { expose: false }), [sold]).error.detail).toBeUndefined()
  })

  it.each<[string, () => unknown]>([
    ['throws', fails(new Error('rule'))],
    ['answers 200', () => 200],
    ['answers 600', () => 600],
    ['answers NaN', () => NaN],
    ['answers 404.5', () => 404.5],
    ['answers "404"', () => '404'],
    ['answers null', () => null],
  ])('passes over a rule that %s', (_, rule) => {
    const broken = rule as () => number
    expect(toHttpError(new Sold(secret), [broken])).toMatchObject({ error: { status: 500 }, unexpected: true })
    expect(toHttpError(new Sold(), [broken, sold]).error.status).toBe(409)
  })

  it.each<[unknown, number, string | undefined]>([
    [{ status: 404, expose: true, message: 'no such fruit' }, 404, 'no such fruit'],
    [{ statusCode: 404, expose: true, message: 'no such fruit' }, 404, 'no such fruit'],
    [{ status: 'x', statusCode: 404, expose: true, message: 'no such fruit' }, 404, 'no such fruit'],
    [{ status: 404, expose: false, message: secret }, 404, undefined],
    [{ status: 404, expose: true, message: 'Not Found' }, 404, undefined],
    [{ status: 422, expose: true, message: '' }, 422, undefined],
    [{ status: 404, expose: true, message: { a: 1 } }, 404, undefined],
    [{ status: 599, expose: false, message: secret }, 599, undefined],
  ])('keeps the status of %j', (thrown, status, detail) => {
    const { error, unexpected } = toHttpError(thrown, [])
    expect([error.status, error.detail, unexpected]).toEqual([status, detail, false])
  })

  it.each([
    ['a string', secret],
    ['undefined', undefined],
    ['null', null],
    ['a number', 404],
    ['a symbol', Symbol(secret)],
    ['an object', { secret }],
    ['a function', () => secret],
    ['an error', new Error(secret)],
    ['a missing file', Object.assign(new Error(secret), { code: 'ENOENT', errno: -2, path: secret })],
    ['a status without expose', { status: 404, message: secret }],
    ['an expose that is no boolean', { status: 404, expose: 'true', message: secret }],
    ['a status that is text', { status: '404', expose: true }],
    ['a status that is no error', { status: 200, expose: true }],
    ['a status out of range', { status: 1e9, expose: true }],
    ['a getter that throws', Object.defineProperty({}, 'status', { get: fails(new Error(secret)) })],
    ['a proxy that throws', new Proxy({}, { get: fails(new Error(secret)), getPrototypeOf: fails(new Error()) })],
  ])('knows nothing of %s', (_, thrown) => {
    const { error, unexpected } = toHttpError(thrown, [])
    expect(unexpected).toBe(true)
    expect(error.constructor).toBe(HttpError)
    const { status, detail, code, type, headers, errors, cause, message } = error
    expect([status, detail, code, type, headers, errors, cause]).toEqual([500, ...Array(6).fill(undefined)])
    expect(message).not.toContain(secret)
  })

  it('carries the headers of http-errors, texts and lists alike', () => {
    const headers = { 'Retry-After': 5, Allow: ['GET', 'PUT'], Absent: undefined }
    expect(toHttpError({ status: 429, expose: true, headers }, []).error.headers).toEqual({
      'Retry-After': '5',
      Allow: ['GET', 'PUT'],
    })
    expect(toHttpError({ status: 429, expose: true, headers: 'x: y' }, []).error.headers).toBeUndefined()
  })
})
