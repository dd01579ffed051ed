import { build, type Metafile } from 'esbuild'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { closeAll } from '../support/serve'
import { record, sendJson } from './support/server'

afterEach(closeAll)

const root = join(__dirname, '..', '..')

async function bundle(): Promise<{ readonly code: string; readonly metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: "export { createClient } from './src/client/index'", resolveDir: root },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'kumu',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  return { code: outputFiles[0]!.text, metafile }
}

describe('kumu/client in a browser', () => {
  it('bundles without built-ins of node and without packages', async () => {
    const { metafile } = await bundle()
    const inputs = Object.keys(metafile.inputs).filter((file) => file !== '<stdin>')
    expect(inputs.filter((file) => !/^src\/(?:client|http|errors|types)/.test(file))).toEqual([])
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([])
  })

  it('runs with what a browser has, and nothing else', async () => {
    const { url } = await record(({ headers }, response) => sendJson(response, headers.authorization))
    const { code } = await bundle()
    const browser = {
      ...{
        fetch,
        Request,
        Response,
        Headers,
        URL,
        URLSearchParams,
        AbortController,
        TextDecoder,
        TextEncoder,
        FormData,
      },
      ...{ setTimeout, clearTimeout, performance, crypto, btoa, atob, address: url },
    }
    const script = `${code}\nkumu.createClient(address, { token: () => 'x', trace: true, cache: true }).get('/{a}', { path: { a: 1 } })`
    expect(await runInNewContext(script, browser)).toBe('Bearer x')
  })
})
