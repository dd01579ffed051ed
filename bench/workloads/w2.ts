import { numbers, type Probe, type Workload } from './workload'

/** A new user of about 300 bytes. */
export function makeUser(n: number): object {
  return {
    name: `Somebody Number ${n}`,
    email: `somebody.${n}@mail.example.org`,
    age: n % 120,
    tags: ['early', 'newsletter', `cohort-${n % 10}`, 'beta', 'north', 'weekly-digest'],
    address: { street: `${n} Long Winding Road`, city: 'Little Whinging', zip: String(10000 + n) },
    role: 'editor',
  }
}

const post = (value: unknown, status: number, compare: Probe['compare']): Probe => ({
  method: 'POST',
  path: '/users',
  body: typeof value === 'string' ? value : JSON.stringify(value),
  status,
  compare,
})

/** A JSON body against its rules, answered with what was stored. */
export const w2: Workload = {
  id: 'w2',
  title: 'POST /users',
  app: 'w2',
  routes: 0,
  load: numbers(100).map((n) => ({ method: 'POST', path: '/users', body: JSON.stringify(makeUser(n)) })),
  probes: [
    post(makeUser(1), 201, 'bytes'),
    post(makeUser(77), 201, 'bytes'),
    post({ ...makeUser(1), extra: true }, 422, 'status'),
    post('{"name":', 400, 'status'),
  ],
}
