import type { Finding } from './finding'
import type { Route } from './load-app'

/** Guarded plans of an author's own making in an application that can verify nobody: nothing guards them. */
export function findUnverified(routes: readonly Route[]): Finding[] {
  return routes
    .filter(({ plan, router }) => plan.access && !router.init.settings.gate)
    .map(({ plan }) => ({
      code: 'unverified-access',
      level: 'error',
      where: plan.id,
      what: 'it is for some principals only, and the application cannot verify anybody',
      cure: 'Give createApp({ auth: { verify } })',
    }))
}
