import type { Fetch } from './exchange'
import { loadOptional } from './optional'

/** What a client shows of itself, and whom it trusts. */
export interface ClientTls {
  /** The certificate to show, PEM. */
  readonly cert?: string | Uint8Array
  /** Its key, PEM. */
  readonly key?: string | Uint8Array
  /** The passphrase of the key. */
  readonly passphrase?: string
  /** Certificates of authorities to trust in place of the known ones, PEM. */
  readonly ca?: string | Uint8Array | ReadonlyArray<string | Uint8Array>
}

/** A `fetch` with connections of its own. */
export interface OwnFetch {
  readonly fetch: Fetch
  close(): Promise<void>
}

interface Undici {
  readonly Agent: new (options: { readonly connect: object }) => { close(): Promise<void> }
  readonly fetch: (url: string, init: object) => Promise<Response>
}

/**
 * A `fetch` of undici's, which takes certificates; the one of Node takes none. The package is loaded with the first request.
 *
 * @param tls certificates and keys
 */
export function createTlsFetch(tls: ClientTls): OwnFetch {
  let opened: { readonly undici: Undici; readonly agent: InstanceType<Undici['Agent']> } | undefined
  const open = () => {
    const undici = loadOptional('undici', 'undici', 'A client with certificates') as Undici
    return { undici, agent: new undici.Agent({ connect: { ...tls } }) }
  }
  return {
    async fetch(url, init) {
      const { undici, agent } = (opened ??= open())
      return undici.fetch(url, { ...init, dispatcher: agent })
    },
    async close() {
      await opened?.agent.close()
    },
  }
}
