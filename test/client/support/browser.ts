/** What a person does on the page that asks whether a device may act for them. */
export type Decision = 'approve' | 'deny'

/**
 * A person with a browser: opens an address, goes where it is sent, keeps cookies, and fills in every form, until there is none or they
 * have said no.
 *
 * @param decision `deny` presses the button that says so
 * @returns the text of the last page
 */
export async function browse(address: string, decision: Decision = 'approve', userCode = ''): Promise<string> {
  const cookies = new Map<string, string>()
  let page = await load(address, {})
  for (let form = findForm(page.text); form; form = findForm(page.text)) {
    const filled: Record<string, string> = { ...form.fields }
    if ('login' in filled) Object.assign(filled, { login: 'alice', password: 'a password' })
    if ('user_code' in filled && filled['user_code'] === '') filled['user_code'] = userCode
    if (decision === 'deny' && form.text.includes('name="confirm"')) filled['abort'] = 'yes'
    page = await load(new URL(form.action, page.url).href, { method: 'POST', body: new URLSearchParams(filled) })
    if ('abort' in filled) break
  }
  return page.text

  async function load(url: string, init: RequestInit): Promise<{ readonly url: string; readonly text: string }> {
    const headers = { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (value === '') cookies.delete(name!)
      else cookies.set(name!, value!)
    }
    const location = response.headers.get('location')
    if (location === null) return { url, text: await response.text() }
    await response.body?.cancel()
    return load(new URL(location, url).href, {})
  }
}

interface Form {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
  readonly text: string
}

function findForm(html: string): Form | undefined {
  const [text, attributes] = /<form([^>]*)>[^]*?<\/form>/.exec(html) ?? []
  if (text === undefined) return undefined
  const inputs = [...text.matchAll(/<input([^>]*)>/g)].map(([, given]) => given!)
  return {
    action: attributeOf(attributes!, 'action') ?? '',
    fields: Object.fromEntries(
      inputs.flatMap((input) => {
        const name = attributeOf(input, 'name')
        return name === undefined ? [] : [[name, attributeOf(input, 'value') ?? '']]
      }),
    ),
    text,
  }
}

function attributeOf(text: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1]?.replaceAll('&amp;', '&')
}
