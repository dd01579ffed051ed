import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createShowcase } from '../../../samples/showcase/app'
import { createLarge } from './large'
import { createWide } from './wide'

const makers = {
  large: () => createLarge(100),
  wide: () => createWide(),
  showcase: () => createShowcase(mkdtempSync(join(tmpdir(), 'kumu-declare-'))),
}

// In a process of its own, for the package behind the typings comes as an ES module: declare.ts large|wide|showcase
const app = makers[process.argv[2] as keyof typeof makers]()
const server = app.listen(0, '127.0.0.1', () => {
  void (async () => {
    const { port } = server.address() as { port: number }
    const answer = await fetch(`http://127.0.0.1:${port}/openapi.d.ts`)
    const again = await fetch(answer.url, { headers: { 'If-None-Match': answer.headers.get('ETag') ?? '' } })
    const facts = { status: answer.status, type: answer.headers.get('Content-Type'), again: again.status }
    process.stdout.write(JSON.stringify({ ...facts, text: await answer.text() }))
    server.close()
    server.closeAllConnections()
    await app.close()
  })()
})
