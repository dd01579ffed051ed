import type { AddressInfo } from 'node:net'
import { createApp } from 'kumu'
import { docstore, documents } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'

/** Documents on the file driver, and at `/memory` what this process takes: `{ now, peak }`, the peak since it was asked last. */
let peak = 0
const sample = (): number => {
  const now = process.memoryUsage.rss()
  peak = Math.max(peak, now)
  return now
}
setInterval(sample, 5)

const app = createApp({
  resources: [documents('/docs', docstore(file({ dir: process.argv[2]! })))],
  limits: { document: '4gb' },
  middleware: [
    async (ctx, next) => {
      if (ctx.path !== '/memory') return next()
      const now = sample()
      ctx.body = { now, peak }
      peak = now
    },
  ],
})

const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})
