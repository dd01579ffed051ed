import { makeUser } from './w2'
import { type Answer, numbers, type Workload } from './workload'

/** A user that breaks six rules. */
export function makeBroken(n: number): object {
  return {
    ...makeUser(n),
    name: '',
    email: `nobody-${n}`,
    age: 151 + n,
    tags: Array.from({ length: 11 }, (_, index) => `tag-${index}`),
    address: { street: `${n} Long Winding Road`, city: 'Little Whinging', zip: '1234' },
    role: 'emperor',
  }
}

/** The violations as a client would act on them: sentences may differ, and so may the order. */
function violations({ body }: Answer): unknown {
  const { errors } = JSON.parse(body) as { errors: { in: string; pointer: string; code: string; detail: string }[] }
  return errors.map((error) => `${error.in} ${error.pointer} ${error.code} ${error.detail ? 'explained' : ''}`).sort()
}

const members = ['name', 'email', 'age', 'tags', 'role']

/** The application of W2 with a body that it refuses. */
export const w5: Workload = {
  id: 'w5',
  title: 'POST /users, refused',
  app: 'w2',
  routes: 0,
  load: numbers(100).map((n) => ({ method: 'POST', path: '/users', body: JSON.stringify(makeBroken(n)) })),
  probes: [
    {
      method: 'POST',
      path: '/users',
      body: JSON.stringify(makeBroken(1)),
      status: 422,
      compare: violations,
      names: [...members, 'zip'],
    },
    {
      method: 'POST',
      path: '/users',
      body: JSON.stringify({ ...makeUser(1), age: -1 }),
      status: 422,
      compare: violations,
      names: ['age'],
    },
    {
      method: 'POST',
      path: '/users',
      body: '{}',
      status: 422,
      compare: 'status',
      names: members,
    },
  ],
}
