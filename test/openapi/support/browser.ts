import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const places = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** A browser of this machine; none where there is none and none is demanded. */
export async function openBrowser(): Promise<Browser | undefined> {
  const executablePath = places.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) {
    if (process.env.KUMU_REQUIRE_SERVICES === '1') throw new Error(`No browser in ${places.filter(Boolean).join(', ')}`)
    process.stderr.write('No browser here: the page is not opened (apt-get install chromium)\n')
    return undefined
  }
  return chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}
