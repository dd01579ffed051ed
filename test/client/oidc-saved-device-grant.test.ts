import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refreshToken, savedDeviceGrant, type SavedDeviceGrantOptions } from 'kumu/client/oidc'
import { loadModules } from '../support/load-modules'
import { browse } from './support/browser'
import { startProvider, stopProviders, type RunningProvider } from './support/provider'

jest.mock('openid-client', () => loadModules('openid-client'))

let provider: RunningProvider
let folder: string
const umask = process.umask()

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kumu-token-'))
  // Whatever the host lets others see by default, this file is not among it.
  process.umask(0)
})
afterEach(() => {
  process.umask(umask)
  rmSync(folder, { recursive: true })
})
afterAll(stopProviders)

interface Saved {
  readonly issuer: string
  readonly clientId: string
  readonly refreshToken: string
}

function open(options: Partial<SavedDeviceGrantOptions> = {}) {
  const filename = options.filename ?? join(folder, 'token.json')
  let prompts = 0
  const source = savedDeviceGrant({
    issuer: provider.issuer,
    clientId: 'shell',
    scope: 'openid',
    filename,
    prompt: ({ verificationUriComplete }) => {
      prompts++
      return browse(verificationUriComplete).then(() => undefined)
    },
    ...options,
  })
  const saved = (): Saved => JSON.parse(readFileSync(filename, 'utf8')) as Saved
  return { source, filename, saved, prompts: () => prompts }
}

/** A file as an earlier run has left it. */
async function save(text?: (token: string) => string, filename = join(folder, 'token.json')): Promise<string> {
  const token = await provider.mint('shell')
  const saved = JSON.stringify({ issuer: new URL(provider.issuer).href, clientId: 'shell', refreshToken: token })
  writeFileSync(filename, text ? text(token) : saved, { mode: 0o600 })
  return token
}

describe('savedDeviceGrant({ filename })', () => {
  it('asks once, and the next process not at all', async () => {
    const first = open()
    const { token } = await first.source()
    expect(first.prompts()).toBe(1)
    expect(first.saved()).toEqual({
      issuer: `${provider.issuer}/`,
      clientId: 'shell',
      refreshToken: first.source.refreshToken,
    })
    const second = open()
    const renewed = await second.source()
    expect([second.prompts(), renewed.token === token, await provider.isActive(renewed.token)]).toEqual([
      0,
      false,
      true,
    ])
  })

  it('writes each new refresh token', async () => {
    const token = await save()
    const { source, saved, prompts } = open()
    const one = await source()
    const second = saved().refreshToken
    await source({ rejected: one.token })
    expect(new Set([token, second, saved().refreshToken]).size).toBe(3)
    expect([saved().refreshToken, prompts()]).toEqual([source.refreshToken, 0])
  })

  it('lets nobody else read it, nor see its folder', async () => {
    const { source, filename } = open({ filename: join(folder, 'a', 'b', 'token.json') })
    await source()
    expect([filename, join(folder, 'a'), join(folder, 'a', 'b')].map((path) => statSync(path).mode & 0o777)).toEqual([
      0o600, 0o700, 0o700,
    ])
  })

  it('closes a file that was open to others', async () => {
    await save()
    const { source, filename } = open()
    chmodSync(filename, 0o644)
    await provider.set({ broken: true })
    // Whether or not it is written again.
    const left = AbortSignal.timeout(10_000)
    await expect(source({ signal: left }).finally(() => source.close())).rejects.toThrow('Device authorization failed')
    await provider.set({ broken: false })
    expect(statSync(filename).mode & 0o777).toBe(0o600)
  })

  it('puts a whole file in the place of the other: who has that open reads it to its end', async () => {
    const token = await save()
    const { source, filename, saved } = open()
    const [before, descriptor] = [statSync(filename), openSync(filename, 'r')]
    await source()
    const bytes = Buffer.alloc(4096)
    const old = JSON.parse(bytes.toString('utf8', 0, readSync(descriptor, bytes))) as Saved
    expect([old.refreshToken, saved().refreshToken === token, statSync(filename).ino === before.ino]).toEqual([
      token,
      false,
      false,
    ])
    expect(readdirSync(folder)).toEqual(['token.json'])
  })

  it('leaves nothing behind where it cannot write, and goes on with the token it has', async () => {
    const filename = join(folder, 'directory')
    mkdirSync(join(filename, 'full'), { recursive: true })
    const { source, prompts } = open({ filename })
    await expect(source()).rejects.toThrow(/^The refresh token cannot be saved: E/)
    expect(readdirSync(folder)).toEqual(['directory'])
    expect([await provider.isActive((await source()).token), prompts()]).toEqual([true, 1])
  })

  it('does not fall back to the older token that it could not replace', async () => {
    // The name leaves no room for that of the draft beside it: the file can be read, and not replaced.
    const filename = join(folder, 't'.repeat(250))
    const token = await save(undefined, filename)
    const { source, saved, prompts } = open({ filename })
    await expect(source()).rejects.toThrow('The refresh token cannot be saved: ENAMETOOLONG')
    const first = await source()
    await expect(source({ rejected: first.token })).rejects.toThrow('The refresh token cannot be saved')
    const second = await source()
    expect([await provider.isActive(second.token), second.token === first.token]).toEqual([true, false])
    expect([prompts(), saved().refreshToken]).toEqual([0, token])
  })

  test.each<[string, ((token: string) => string) | undefined]>([
    ['there is none', undefined],
    ['it is empty', () => ''],
    ['it is not JSON', (token) => token],
    ['it is JSON of another kind', () => 'null'],
    ['it holds no token', () => JSON.stringify({ issuer: `${provider.issuer}/`, clientId: 'shell', refreshToken: 7 })],
    ['the server takes it no more', () => savedText({ refreshToken: 'spent' })],
    ['it is another client’s', (token) => savedText({ clientId: 'terminal', refreshToken: token })],
    ['it is for another server', (token) => savedText({ issuer: 'https://elsewhere.example/', refreshToken: token })],
  ])('asks the person where %s', async (_, text) => {
    if (text) await save(text)
    const before = (await provider.seen('/token')).length
    const { source, saved, prompts } = open()
    expect(await provider.isActive((await source()).token)).toBe(true)
    expect([prompts(), saved().refreshToken]).toEqual([1, source.refreshToken])
    const spent = (await provider.seen('/token')).slice(before).flatMap(({ form }) => form?.['refresh_token'] ?? [])
    // A token is shown to the server that gave it, on behalf of the client that it was given to, and to nobody else.
    expect(spent).toEqual(text?.('x').includes('"spent"') ? ['spent'] : [])
  })

  it('asks the person where the server fails on the saved token', async () => {
    await save()
    await provider.set({ broken: true })
    const { source } = open({
      prompt: async ({ verificationUriComplete }) => {
        await provider.set({ broken: false })
        await browse(verificationUriComplete)
      },
    })
    expect(await provider.isActive((await source()).token)).toBe(true)
  })

  it('shares its file with other processes: one spends what the other was given', async () => {
    await save()
    const [one, two] = [open(), open()]
    const [first] = [await one.source(), await two.source()]
    await one.source({ rejected: first.token })
    const { token } = await two.source({ rejected: (await two.source()).token })
    expect([await provider.isActive(token), one.prompts(), two.prompts()]).toEqual([true, 0, 0])
    expect(two.saved().refreshToken).toBe(two.source.refreshToken)
  })

  it('removes the file where no refresh token comes any more', async () => {
    await save(() => savedText({ refreshToken: 'spent' }))
    const { source } = open({ offline: false })
    await source()
    expect([readdirSync(folder), source.refreshToken]).toEqual([[], undefined])
  })

  it('revokes what is saved, and removes the file, asked before or not', async () => {
    const token = await save()
    const { source } = open()
    await source.revoke()
    expect([readdirSync(folder), await provider.isActive(token)]).toEqual([[], false])
    await expect(
      refreshToken({ issuer: provider.issuer, clientId: 'shell', refreshToken: token })(),
    ).rejects.toMatchObject({ code: 'invalid_grant' })
  })
})

function savedText(changes: Partial<Saved>): string {
  return JSON.stringify({ issuer: `${provider.issuer}/`, clientId: 'shell', ...changes })
}
