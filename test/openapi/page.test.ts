import 'reflect-metadata'
import { closeAll, serve } from '../support/serve'
import { openBrowser } from './support/browser'
import { createWide } from './support/wide'

afterEach(closeAll)

describe('GET /docs', () => {
  test('a page whose policy lets in nothing of other hosts, and nothing inline', async () => {
    const { ask } = await serve(createWide())
    const page = await ask('GET', '/docs')
    const policy = String(page.headers['content-security-policy'])
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(page.text).not.toMatch(/<script>|<style|style=|https?:/)
  })

  test.each([
    ['/docs/swagger-ui.css', 200, 'text/css; charset=utf-8'],
    ['/docs/swagger-ui-bundle.js', 200, 'text/javascript; charset=utf-8'],
    ['/docs/start.js', 200, 'text/javascript; charset=utf-8'],
    ['/docs/favicon-32x32.png', 200, 'image/png'],
    ['/docs/package.json', 404, 'application/problem+json'],
    ['/docs/..%2fpackage.json', 404, 'application/problem+json'],
    ['/docs/constructor', 404, 'application/problem+json'],
  ])('%s: %i %s', async (path, status, type) => {
    const { ask } = await serve(createWide())
    const answer = await ask('GET', path)
    expect([answer.status, answer.headers['content-type']]).toEqual([status, type])
  })

  test('the title is text', async () => {
    const { ask } = await serve(createWide({ openapi: { info: { title: '<b>&' } } }))
    expect((await ask('GET', '/docs')).text).toContain('<title>&#60;b&#62;&#38;</title>')
  })

  test.each([
    ['/docs', '/docs', 'openapi.json'],
    ['/docs', '/docs/', '../openapi.json'],
    ['/a/docs', '/a/docs', '../openapi.json'],
    ['/a/docs', '/a/docs/', '../../openapi.json'],
  ])('at %s, seen as %s, it reads %s', async (ui, seen, url) => {
    const { ask } = await serve(createWide({ openapi: { ui } }))
    const { text } = await ask('GET', seen)
    expect(text).toContain(`data-url="${url}"`)
    const [, script = ''] = /src="([^"]*start\.js)"/.exec(text) ?? []
    expect(new URL(script, `http://a${seen}`).pathname).toBe(`${ui}/start.js`)
  })

  test.each(['/docs', '/docs/'])('in a browser, %s shows every operation, and asks no other host', async (path) => {
    const browser = await openBrowser()
    if (!browser) return
    try {
      const app = createWide()
      const { url } = await serve(app)
      const page = await browser.newPage()
      const said: string[] = []
      const hosts = new Set<string>()
      page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
      page.on('pageerror', (error) => said.push(String(error)))
      page.on('request', (request) => {
        if (!/^(data|blob):/.test(request.url())) hosts.add(new URL(request.url()).origin)
      })
      await page.goto(url + path)
      const operations = Object.values(app.document().paths).flatMap((item) => Object.keys(item))
      await page
        .locator('.opblock')
        .nth(operations.length - 1)
        .waitFor({ timeout: 50_000 })
      await page.locator('.opblock-summary').first().click()
      await page.locator('.opblock-body .responses-wrapper').first().waitFor({ timeout: 50_000 })
      expect(await page.locator('.opblock').count()).toBe(operations.length)
      expect(await page.locator('.information-container .title').first().innerText()).toContain('Wide')
      expect(said).toEqual([])
      expect([...hosts]).toEqual([url])
    } finally {
      await browser.close()
    }
  })
})
