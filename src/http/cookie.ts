/**
 * The cookies of a request. Of two with one name the first counts: the client puts the more specific path first.
 *
 * @param header the `Cookie` header
 * @returns values without their quotes, percent-decoded where that is possible, else as they stood
 * @see RFC 6265 §4.2, §5.4
 *
 * @example
 * parseCookies('theme=dark; name=J%C3%BCrgen').get('name') // 'Jürgen'
 */
export function parseCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>()
  if (!header) return cookies
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0) continue
    const name = pair.slice(0, equals).trim()
    if (name === '' || cookies.has(name)) continue
    cookies.set(name, decode(unquote(pair.slice(equals + 1).trim())))
  }
  return cookies
}

function unquote(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

function decode(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
