import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { clientCredentials } from 'kumu/client/oidc'
import { toPrompt } from '../../src/client/oidc-device-prompt'
import { browse } from './support/browser'
import { startProvider, stopProviders } from './support/provider'

const root = join(__dirname, '..', '..')

// Here both packages are missing; the processes below have them.
jest.mock('openid-client', () => missing('openid-client'))
jest.mock('uqr', () => missing('uqr'))
afterAll(stopProviders)

function missing(name: string): never {
  throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' })
}

/** A Node of its own, as a user has it: what comes as ES modules alone is loaded by `require`. */
function run(script: string): { readonly stdout: Promise<string>; readonly stderr: NodeJS.ReadableStream } {
  const child = spawn(
    process.execPath,
    [
      '-r',
      join(root, 'test/support/swc-register.cjs'),
      '-e',
      `${script}.catch(({ name, code, message }) => console.log([name, code, message].join('; ')))`,
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } },
  )
  return { stdout: text(child.stdout), stderr: child.stderr }
}

describe('in a plain process', () => {
  it('prints the prompt on the standard error stream, and nothing else', async () => {
    const { issuer, isActive } = await startProvider()
    const { stdout, stderr } = run(
      `require('kumu/client/oidc').deviceGrant(${JSON.stringify({ issuer, clientId: 'shell', scope: 'openid' })})()
        .then(({ token }) => console.log(token))`,
    )
    let printed = ''
    for await (const chunk of stderr) {
      printed += String(chunk)
      const code = /└/.test(printed) && /\b[A-Z]{4}-[A-Z]{4}\b/.exec(printed)?.[0]
      if (code) await browse(`${issuer}/device?user_code=${code}`)
    }
    expect(await isActive((await stdout).trim())).toBe(true)
    expect(printed).toMatch(/^┌[^]*scan the QR code[^]*┘\n$/)
  })

  it('says who did not answer', async () => {
    const options = { issuer: 'http://127.0.0.1:1', clientId: 'a', clientSecret: 'b' }
    const { stdout } = run(`require('kumu/client/oidc').clientCredentials(${JSON.stringify(options)})()`)
    expect(await stdout).toMatch(/^OAuthError; unreachable; Discovery failed: fetch failed/)
  })

  it('says what the server refuses', async () => {
    const { issuer } = await startProvider()
    const options = { issuer, clientId: 'basic', clientSecret: 'wrong' }
    const { stdout } = run(`require('kumu/client/oidc').clientCredentials(${JSON.stringify(options)})()`)
    expect(await stdout).toMatch(/^OAuthError; invalid_client; Token request failed: invalid_client/)
  })

  it('lets the process end while tokens are held', async () => {
    const { issuer, isActive } = await startProvider()
    const options = { issuer, clientId: 'post', clientSecret: 'a secret: 100% unique/+&=', method: 'post' }
    const { stdout } = run(
      `require('kumu/client/oidc').clientCredentials(${JSON.stringify(options)})().then(({ token }) => console.log(token))`,
    )
    expect(await isActive((await stdout).trim())).toBe(true)
  })
})

describe('without the optional packages', () => {
  it('names the package to install', async () => {
    const source = clientCredentials({ issuer: 'http://127.0.0.1:1', clientId: 'a', clientSecret: 'b' })
    await expect(source()).rejects.toThrow(
      'kumu/client/oidc needs the package openid-client: npm install openid-client',
    )
  })

  it('prompts without a QR code', () => {
    const { text: shown } = toPrompt(
      { device_code: 'x', user_code: 'WDJB-MJHT', verification_uri: 'https://a.example/d', expires_in: 600 },
      0,
    )
    expect(shown).toContain('WDJB-MJHT')
    expect(shown).not.toMatch(/QR|█/)
  })
})
