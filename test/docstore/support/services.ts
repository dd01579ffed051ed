import { spawnSync } from 'node:child_process'

/** Where each service is: its own environment variable, or its standard port on the loopback interface. */
const addresses = {
  postgres: process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  nats: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
} as const

const standardPorts = { postgres: 5432, redis: 6379, nats: 4222 } as const

/** A server that tests need and this machine may lack. */
export type Service = keyof typeof addresses

/**
 * Tests that need a service: skipped, with one line that says so, where nobody listens there; failed in its place where
 * `KUMU_REQUIRE_SERVICES=1` says that it has to be there.
 *
 * @param define the tests; it is given the service's URL
 */
export function describeWithService(service: Service, define: (url: string) => void): void {
  const url = addresses[service]
  describe(`with ${service}`, () => {
    if (isListening(service)) define(url)
    else if (process.env.KUMU_REQUIRE_SERVICES === '1') {
      it('is there', () => {
        throw new Error(`Nobody listens at ${url}, and KUMU_REQUIRE_SERVICES=1 wants ${service}`)
      })
    } else {
      // eslint-disable-next-line no-restricted-syntax -- it says what is not tested, and why
      it.skip(`nobody listens at ${url}`, () => undefined)
    }
  })
}

// Jest collects its tests in one go: the answer is wanted before the first `await`.
function isListening(service: Service): boolean {
  const { hostname, port } = new URL(addresses[service])
  const script = `require('node:net').connect(${Number(port) || standardPorts[service]}, ${JSON.stringify(hostname)})
    .setTimeout(2000, () => process.exit(1)).on('connect', () => process.exit(0)).on('error', () => process.exit(1))`
  return spawnSync(process.execPath, ['-e', script], { stdio: 'ignore' }).status === 0
}
