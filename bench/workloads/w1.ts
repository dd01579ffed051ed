import { numbers, type Workload } from './workload'

/** A path parameter checked as an integer, and a small answer. */
export const w1: Workload = {
  id: 'w1',
  title: 'GET /hello/:id',
  app: 'w1',
  routes: 0,
  load: numbers(100).map((id) => ({ method: 'GET', path: `/hello/${id}` })),
  probes: [
    { method: 'GET', path: '/hello/7', status: 200, compare: 'bytes' },
    { method: 'GET', path: '/hello/12345', status: 200, compare: 'bytes' },
    { method: 'GET', path: '/hello/seven', status: 400, compare: 'status' },
    { method: 'GET', path: '/nowhere', status: 404, compare: 'status' },
  ],
}
