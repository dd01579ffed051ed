import { numbers, type Workload } from './workload'

/** One page of 50 objects out of 10,000. */
export const w3: Workload = {
  id: 'w3',
  title: 'GET /items?offset=&limit=50',
  app: 'w3',
  routes: 0,
  load: numbers(100).map((page) => ({ method: 'GET', path: `/items?offset=${page * 50}&limit=50` })),
  probes: [
    { method: 'GET', path: '/items?offset=100&limit=50', status: 206, compare: 'bytes', headers: ['content-range'] },
    { method: 'GET', path: '/items?offset=9990&limit=50', status: 206, compare: 'bytes', headers: ['content-range'] },
    { method: 'GET', path: '/items?offset=x&limit=50', status: 400, compare: 'status' },
  ],
}
