import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { OpenApiDocument } from 'kumu/openapi'
import { createShowcase } from '../../samples/showcase/app'
import { createWide } from './support/wide'

interface Verdict {
  readonly valid: boolean
  readonly errors: readonly unknown[]
}

/** What two validators say. They come as ES modules alone, so they run in a process of their own. */
async function verdictsOn(document: object): Promise<{ readonly ajv: Verdict; readonly hyperjump: Verdict }> {
  const child = execFile(process.execPath, [join(__dirname, 'support/validate.mjs')], { maxBuffer: 1e8 })
  child.stdin?.end(JSON.stringify(document))
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')])
  expect(err).toBe('')
  return JSON.parse(out) as { ajv: Verdict; hyperjump: Verdict }
}

const valid = { ajv: { valid: true, errors: [] }, hyperjump: { valid: true, errors: [] } }

describe('the schema of OpenAPI 3.1, by two validators', () => {
  let directory = ''
  beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'kumu-openapi-'))))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('the showcase', async () => {
    const app = createShowcase(directory)
    expect(await verdictsOn(app.document())).toEqual(valid)
    await app.close()
  })

  test.each([
    ['one of everything', {}],
    [
      'errors of an older format, an envelope, a prefix',
      { errors: { format: 'pyrest' }, envelope: 'urest', prefix: '/api' },
    ],
  ] as const)('%s', async (_name, options) => {
    expect(await verdictsOn(createWide(options).document())).toEqual(valid)
  })

  test('both see a fault', async () => {
    const document = JSON.parse(JSON.stringify(createWide().document())) as OpenApiDocument
    delete (document.components?.responses?.NotFound as { description?: string }).description
    const { ajv, hyperjump } = await verdictsOn(document)
    expect([ajv.valid, hyperjump.valid]).toEqual([false, false])
  })
})
