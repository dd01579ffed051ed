import { numbers, type Workload } from './workload'

/** Parameter routes of the application: `/route-0/:id` to `/route-999/:id`. */
export const routes = 1000

function asking(name: string, route: number): Workload {
  return {
    id: `w4-${name}`,
    title: `GET /route-${route}/:id, the ${name} of ${routes} routes`,
    app: 'w4',
    routes,
    load: numbers(100).map((id) => ({ method: 'GET', path: `/route-${route}/${id}` })),
    probes: [
      { method: 'GET', path: `/route-${route}/7`, status: 200, compare: 'bytes' },
      { method: 'GET', path: `/route-${route}/x`, status: 400, compare: 'status' },
      { method: 'GET', path: `/route-${routes}/7`, status: 404, compare: 'status' },
    ],
  }
}

export const w4 = [asking('first', 0), asking('middle', routes / 2), asking('last', routes - 1)]
