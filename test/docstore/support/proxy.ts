import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server, and does to their connections what networks do. */
export interface Proxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string
  /** Ends all connections at once. */
  cut(): void
  /** What the server answers is lost from now on, or no longer. */
  mute(isMuted: boolean): void
  /** New connections end at once from now on, or no longer. */
  refuse(isRefusing: boolean): void
  close(): Promise<void>
}

/** @param rewrite what becomes of the bytes that a client sends; default nothing */
export async function createProxy(target: string, rewrite = (piece: Buffer): Buffer => piece): Promise<Proxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let [muted, refusing] = [false, false]
  const server = createServer((client) => {
    if (refusing) return void client.destroy()
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (piece) => upstream.write(rewrite(piece)))
    upstream.on('data', (piece) => {
      if (!muted) client.write(piece)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.port = String((server.address() as AddressInfo).port)
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href.replace(/\/$/, ''),
    cut,
    mute: (isMuted) => (muted = isMuted),
    refuse: (isRefusing) => (refusing = isRefusing),
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
