import fc from 'fast-check'
import { formatPrompt, toPrompt } from '../../src/client/oidc-device-prompt'

const answer = {
  device_code: 'secret',
  user_code: 'WDJB-MJHT',
  verification_uri: 'https://login.example.org/device',
  expires_in: 600,
}

describe('toPrompt(response, expiresAt)', () => {
  it('takes what the server says', () => {
    const prompt = toPrompt({ ...answer, verification_uri_complete: 'https://login.example.org/d?c=1' }, 7)
    expect(prompt).toMatchObject({
      userCode: 'WDJB-MJHT',
      verificationUri: 'https://login.example.org/device',
      verificationUriComplete: 'https://login.example.org/d?c=1',
      expiresAt: 7,
    })
    expect(JSON.stringify(prompt)).not.toContain('secret')
  })

  it('adds the code to the address, beside what is there', () => {
    const { verificationUriComplete } = toPrompt({ ...answer, verification_uri: 'https://a.example/d?x=1' }, 7)
    expect(verificationUriComplete).toBe('https://a.example/d?x=1&user_code=WDJB-MJHT')
  })

  it('lets no control character of the server into a terminal', () => {
    const hostile = '\u001b]0;owned\u0007\u001b[2J\r\n\u202eABCD'
    const { text, userCode } = toPrompt(
      { ...answer, user_code: hostile, verification_uri: `https://a.example/${hostile}` },
      7,
    )
    expect(userCode).toBe(' ]0;owned [2J ABCD')
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'device', ''])('sends nobody to %j', (verification_uri) => {
    expect(() => toPrompt({ ...answer, verification_uri }, 7)).toThrow('names no web page to approve it on')
  })
})

describe('formatPrompt(prompt, qr)', () => {
  const prompt = {
    userCode: 'WDJB-MJHT',
    verificationUri: 'https://a.example/d',
    verificationUriComplete: '',
    expiresAt: 0,
  }

  it('is a box', () => {
    expect(formatPrompt(prompt, [])).toBe(
      [
        '┌────────────────────────────┐',
        '│ To complete authorization, │',
        '│ open                       │',
        '│                            │',
        '│   https://a.example/d      │',
        '│                            │',
        '│ and enter the code         │',
        '│                            │',
        '│   WDJB-MJHT                │',
        '└────────────────────────────┘',
        '',
      ].join('\n'),
    )
  })

  it('has the QR code beside the words where both fit 77 columns, else above them', () => {
    const qr = Array.from({ length: 12 }, () => '█'.repeat(29))
    const address = (length: number): typeof prompt => ({ ...prompt, verificationUri: `https://${'a'.repeat(length)}` })
    const widest = formatPrompt(address(28), qr).split('\n')
    expect([widest.length, widest[0]!.length]).toEqual([15, 74])
    expect(formatPrompt(address(30), qr).split('\n')[0]).toHaveLength(76)
    expect(formatPrompt(address(32), qr).split('\n')).toHaveLength(23)
  })

  it('is as wide in every line, whatever it says', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'ü', '█', '💎', ' '), maxLength: 90 })
    const codes = fc.tuple(fc.nat(40), fc.nat(40)).map(([rows, width]) => Array<string>(rows).fill('▀'.repeat(width)))
    fc.assert(
      fc.property(line, line, codes, (userCode, verificationUri, qr) => {
        const lines = formatPrompt({ ...prompt, userCode, verificationUri }, qr)
          .trimEnd()
          .split('\n')
        expect(new Set(lines.map((each) => [...each].length)).size).toBe(1)
        expect(lines.join('\n')).toContain(userCode)
        for (const row of qr) expect(lines.join('\n')).toContain(row)
      }),
    )
  })
})
