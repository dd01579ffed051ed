import type { DeviceResponse } from './oidc-library'
import { OAuthError, toLine } from './oidc-errors'

/** What a person needs to know to approve a device. */
export interface DevicePrompt {
  /** The code to enter: `WDJB-MJHT`. */
  readonly userCode: string
  /** Where to enter it. */
  readonly verificationUri: string
  /** The same with the code in it. */
  readonly verificationUriComplete: string
  /** When it is too late, in milliseconds since the epoch. */
  readonly expiresAt: number
  /** All of it in a box, with a QR code where the package uqr is installed. */
  readonly text: string
}

/**
 * The words for an answer of the device authorization endpoint. It is the server's text, and bound for a terminal: addresses
 * are those of web pages, and nothing in them is a control sequence.
 *
 * @see RFC 8628 §3.2, §3.3.1
 */
export function toPrompt(response: DeviceResponse, expiresAt: number): DevicePrompt {
  const userCode = toLine(response.user_code)
  const page = toWebPage(response.verification_uri)
  const complete = response.verification_uri_complete ? toWebPage(response.verification_uri_complete) : new URL(page)
  if (!response.verification_uri_complete) complete.searchParams.set('user_code', userCode)
  const prompt = { userCode, verificationUri: page.href, verificationUriComplete: complete.href, expiresAt }
  return { ...prompt, text: formatPrompt(prompt, renderQr(complete.href)) }
}

function toWebPage(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new OAuthError('unexpected', 'Device authorization failed: the server names no web page to approve it on')
}

/**
 * Puts the words into a box, beside the QR code where both fit a terminal of 78 columns, else below it.
 *
 * @param qr lines of equal width; none: there is no QR code
 */
export function formatPrompt(prompt: Omit<DevicePrompt, 'text'>, qr: readonly string[]): string {
  const words = [
    'To complete authorization,',
    qr.length > 0 ? 'scan the QR code or open' : 'open',
    '',
    `  ${prompt.verificationUri}`,
    '',
    'and enter the code',
    '',
    `  ${prompt.userCode}`,
  ]
  const width = Math.max(...words.map(widthOf))
  const qrWidth = widthOf(qr[0] ?? '')
  const isBeside = qr.length > 0 && width + qrWidth + 7 < 78
  const lines = isBeside ? beside(words, qr) : [...qr, ...words]
  return box(lines)
}

function beside(words: readonly string[], qr: readonly string[]): string[] {
  const width = widthOf(qr[0] ?? '')
  const top = Math.max(0, Math.floor((qr.length - words.length) / 2))
  return Array.from({ length: Math.max(qr.length, words.length) }, (_, index) => {
    return `${pad(qr[index] ?? '', width)}   ${words[index - top] ?? ''}`
  })
}

function box(lines: readonly string[]): string {
  const width = Math.max(...lines.map(widthOf))
  const rule = '─'.repeat(width + 2)
  return [`┌${rule}┐`, ...lines.map((line) => `│ ${pad(line, width)} │`), `└${rule}┘`, ''].join('\n')
}

function pad(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - widthOf(line)))
}

function widthOf(line: string): number {
  return [...line].length
}

/** A QR code as lines of half blocks; none where it cannot be made: it is a comfort, the address stands beside it. */
function renderQr(text: string): string[] {
  try {
    // A call of `require`, not an import: the package is optional.
    const { renderUnicodeCompact } = require('uqr') as typeof import('uqr')
    return renderUnicodeCompact(text, { border: 1 }).split('\n')
  } catch {
    return []
  }
}
