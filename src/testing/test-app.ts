import { createApp, type AppOptions } from '../app'
import type { AnyCalls } from '../client/calls'
import { createClient, type Client } from '../client/client'
import type { ClientOptions } from '../client/options'
import { createExpect, fullCalls, type Expect } from './expect'
import type { Listener } from './inject'
import { appTransport } from './transport'

/** An application that stands: Kumu's, or any of Koa. */
export interface Standing {
  callback(): Listener
}

/** Options of {@link testApp}. */
export interface TestOptions extends Omit<ClientOptions, 'transport' | 'tls' | 'init'> {
  /** The address that the application has: its protocol, host and path. Default `http://localhost`. */
  readonly address?: string
}

/** A client of an application in process. */
export type TestClient<Paths = undefined> = Client<Paths> & {
  readonly expect: Expect
}

/**
 * A client of an application without a socket: requests go through its middleware, streams and aborts included. It takes
 * the package light-my-request.
 *
 * @param app an application, or the options of one; `close()` closes one that was made of options
 * @param options as those of `createClient`; but `retries` is 0 where nothing is said
 * @throws ConfigurationError where the application or an option cannot be
 *
 * @example
 * const api = testApp({ resources: [new Employees(db)] })
 * await api.expect('POST', '/employees', { name: 'Ada' }, 201, { name: 'Ada' })
 */
export function testApp<Paths = undefined>(app: Standing | AppOptions, options: TestOptions = {}): TestClient<Paths> {
  const { address = 'http://localhost', ...rest } = options
  const made = isStanding(app) ? undefined : createApp(app)
  const listener = (made ?? (app as Standing)).callback()
  const client = createClient(address, { retries: 0, ...rest, transport: appTransport(listener) })
  const close = async (): Promise<void> => {
    await client.close()
    await made?.close()
  }
  const calls: AnyCalls['full'] = client.full
  return { ...client, expect: createExpect(fullCalls(calls)), close } as unknown as TestClient<Paths>
}

function isStanding(app: Standing | AppOptions): app is Standing {
  return 'callback' in app && typeof app.callback === 'function'
}
