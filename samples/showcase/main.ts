import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createShowcase } from './app'
import { createStores } from './stores'

const { PORT = '3000', HOST = '127.0.0.1', DATA_DIR = './data', STORE_URL, STORE_NAMESPACE } = process.env

try {
  mkdirSync(DATA_DIR, { recursive: true })
  serve(createShowcase(DATA_DIR, createStores(STORE_URL, STORE_NAMESPACE)))
} catch (error) {
  console.error(`Cannot start: ${(error as Error).message}`)
  process.exitCode = 1
}

function serve(app: ReturnType<typeof createShowcase>): void {
  const handle = app.callback()
  const server = createServer((request, response) => void handle(request, response))

  server.listen(Number(PORT), HOST, () => {
    const { address, family, port } = server.address() as AddressInfo
    const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
    console.log(`Kumu's showcase is at ${url}. Try:

  curl -i ${url}/hello/7
  curl -i '${url}/items?limit=3&sort=-price'
  curl -i -X PUT --data-binary 'Hello there' -H 'Content-Type: text/plain' ${url}/files/greeting
`)
  })

  server.on('error', (error) => {
    console.error(`Cannot listen on ${HOST}:${PORT}: ${error.message}`)
    process.exitCode = 1
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void app.close(server))
}
