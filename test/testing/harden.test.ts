import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatFindings, harden } from 'kumu/testing'
import { createShowcase } from '../../samples/showcase/app'

describe('harden(showcase)', () => {
  it('nothing gets through but what fails by design', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kumu-harden-'))
    const app = createShowcase(dir)
    app.silent = true
    const { requests, findings } = await harden(app)
    await app.close()
    rmSync(dir, { recursive: true, force: true })
    const others = findings.filter(({ route }) => route !== 'GET /boom')
    expect(formatFindings(others)).toBe('')
    // The route that fails by design is found, or harden would not see at all.
    expect(findings.map(({ problem }) => problem)).toContain('an error of the server')
    expect(requests).toBeGreaterThan(1_500)
  }, 300_000)
})
