import {
  forgetSupport,
  isKnownTransformer,
  isKnownValidator,
  isSupported,
} from '../../../src/validation/exact/supported'

const before = process.env.KUMU_VALIDATION_COMPILE

afterEach(() => {
  if (before === undefined) delete process.env.KUMU_VALIDATION_COMPILE
  else process.env.KUMU_VALIDATION_COMPILE = before
  forgetSupport()
})

function supportedWith(setting: string | undefined): boolean {
  if (setting === undefined) delete process.env.KUMU_VALIDATION_COMPILE
  else process.env.KUMU_VALIDATION_COMPILE = setting
  forgetSupport()
  return isSupported()
}

describe('isSupported()', () => {
  test.each(['0', 'off', 'false', 'OFF', ' False '])('KUMU_VALIDATION_COMPILE=%s is off', (setting) => {
    expect(supportedWith(setting)).toBe(false)
  })

  test.each([undefined, '', '1', 'on', 'true'])('KUMU_VALIDATION_COMPILE=%s is on', (setting) => {
    expect(supportedWith(setting)).toBe(true)
  })

  test('keeps its answer', () => {
    expect(supportedWith('on')).toBe(true)
    process.env.KUMU_VALIDATION_COMPILE = 'off'
    expect(isSupported()).toBe(true)
  })
})

describe('isKnownValidator(version)', () => {
  test.each(['0.14.1', '0.14.4', '0.15.0', '0.15.1'])('%s', (version) => expect(isKnownValidator(version)).toBe(true))
  test.each(['0.13.2', '0.14.0', '0.16.0', '1.0.0', '0.15.0-beta.1', '0.140.1', ''])('not %s', (version) =>
    expect(isKnownValidator(version)).toBe(false),
  )
})

describe('isKnownTransformer(version)', () => {
  test.each(['0.5.0', '0.5.1'])('%s', (version) => expect(isKnownTransformer(version)).toBe(true))
  test.each(['0.4.1', '0.6.0', '0.5', '0.5.2-rc.1'])('not %s', (version) =>
    expect(isKnownTransformer(version)).toBe(false),
  )
})
