import { createClient, type Client } from 'kumu/client'
import type { components, paths } from './client-paths'

// Every line under an `@ts-expect-error` must be refused by the compiler: where it is not, the comment is the error.

type Fruit = components['schemas']['Fruit']
type Problem = components['schemas']['Problem']

type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles where the value is of this type, and of no other. */
function isOf<Expected>() {
  return <Actual>(_value: Actual, ..._same: IsSame<Actual, Expected> extends true ? [] : [never]): void => undefined
}

const name = 'apple'

export async function right(api: Client<paths>): Promise<void> {
  isOf<Fruit>()(await api.get('/fruits/{name}', { path: { name } }))
  isOf<Fruit[]>()(await api.get('/fruits'))
  isOf<Fruit[]>()(await api.get('/fruits', { query: { amount: 1, tag: ['a'] }, timeout: 5, headers: { 'X-Any': 1 } }))
  isOf<Fruit>()(await api.post('/fruits', { body: { name, amount: null }, idempotent: true }))
  isOf<Fruit>()(await api.post('/fruits', { body: new FormData(), type: 'multipart/form-data' }))
  isOf<Fruit>()(await api.post('/fruits', { body: { name, picture: new Blob([]) }, type: 'multipart/form-data' }))
  isOf<null>()(await api.delete('/fruits/{name}', { path: { name } }))
  isOf<Fruit | null>()(
    await api.patch('/fruits/{name}', {
      path: { name },
      headers: { 'If-Match': '"1"' },
      body: { amount: null },
      type: 'application/merge-patch+json',
    }),
  )
  isOf<Fruit | null>()(await api.patch('/fruits/{name}', { path: { name }, headers: { 'If-Match': '"1"' } }))
  isOf<string>()(await api.get('/search', { query: { q: 'a' } }))
  isOf<Uint8Array>()(await api.get('/picture'))
  isOf<null>()(await api.put('/picture', { body: new Uint8Array(1), type: 'image/png' }))
  isOf<Headers>()(await api.head('/picture'))
  isOf<unknown>()(await api.request('GET', '/anything', { a: 1 }))
  isOf<Fruit>()(await api.request<Fruit>('POST', '/fruits', { name }))
  for await (const fruit of api.pages('/fruits', { limit: 50, query: { amount: 1 } })) isOf<Fruit>()(fruit)
  for await (const row of api.stream<Fruit>('GET', '/rows')) isOf<Fruit>()(row)
}

export async function answers(api: Client<paths>): Promise<void> {
  const answer = await api.full.get('/fruits/{name}', { path: { name } })
  isOf<200 | 304 | 404>()(answer.status)
  if (answer.status === 200) isOf<Fruit>()(answer.body)
  if (answer.status === 304) isOf<null>()(answer.body)
  if (answer.status === 404) isOf<Problem>()(answer.body)
  if (answer.ok) isOf<Fruit>()(answer.body)
  const searched = await api.full.get('/search', { query: { q: 'a' } })
  isOf<number>()(searched.status)
  isOf<string>()(searched.body)
}

export async function wrong(api: Client<paths>): Promise<void> {
  // @ts-expect-error -- there is no such path
  await api.get('/vegetables')
  // @ts-expect-error -- the path has no such method
  await api.put('/fruits', { body: { name } })
  // @ts-expect-error -- a path that is filled in already is another path
  await api.get('/fruits/apple')
  // @ts-expect-error -- the path needs its parameter
  await api.get('/fruits/{name}')
  // @ts-expect-error -- of its name
  await api.get('/fruits/{name}', { path: { id: name } })
  // @ts-expect-error -- and its type
  await api.get('/fruits/{name}', { path: { name: 7 } })
  // @ts-expect-error -- the path has no parameters
  await api.get('/fruits', { path: { name } })
  // @ts-expect-error -- the query has no such name
  await api.get('/fruits', { query: { colour: 'red' } })
  // @ts-expect-error -- it is a number
  await api.get('/fruits', { query: { amount: 'many' } })
  // @ts-expect-error -- the query is required
  await api.get('/search')
  // @ts-expect-error -- and its member
  await api.get('/search', { query: {} })
  // @ts-expect-error -- the header is required
  await api.patch('/fruits/{name}', { path: { name } })
  // @ts-expect-error -- the body is required
  await api.post('/fruits')
  // @ts-expect-error -- with its members
  await api.post('/fruits', { body: { amount: 1 } })
  // @ts-expect-error -- of their types
  await api.post('/fruits', { body: { name: 7 } })
  // @ts-expect-error -- and no others
  await api.post('/fruits', { body: { name, colour: 'red' } })
  // @ts-expect-error -- a form is sent as one
  await api.post('/fruits', { body: new FormData() })
  // @ts-expect-error -- not as text
  await api.post('/fruits', { body: 'name=apple', type: 'text/plain' })
  // @ts-expect-error -- what is no JSON names its type
  await api.put('/picture', { body: new Uint8Array(1) })
  // @ts-expect-error -- GET has no body
  await api.get('/fruits', { body: { name } })
  // @ts-expect-error -- there is no such option
  await api.get('/fruits', { retry: 3 })
  // @ts-expect-error -- a list has another type
  isOf<string[]>()(await api.get('/fruits'))
  // @ts-expect-error -- rows of what is a list
  for await (const fruit of api.pages('/search/none')) isOf<Fruit>()(fruit)
  const answer = await api.full.get('/fruits/{name}', { path: { name } })
  // @ts-expect-error -- only one status has it
  void answer.body.name
}

/** Without `paths` any path goes, and the caller says what comes. */
export async function untyped(): Promise<void> {
  const api = createClient('http://localhost')
  isOf<unknown>()(await api.get('/x', { path: { a: 1 }, query: { b: 2 }, body: {} }))
  isOf<Fruit>()(await api.post<Fruit>('/x', { body: { name } }))
  isOf<Headers>()(await api.head('/x'))
  for await (const row of api.pages<Fruit>('/x')) isOf<Fruit>()(row)
  // @ts-expect-error -- there is no such option
  createClient('http://localhost', { retry: 3 })
  // @ts-expect-error -- a limit is a number
  await api.get('/x', { timeout: '5s' })
}
