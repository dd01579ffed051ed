import { createUuids } from '../../src/docstore/uuid'

const version7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const timeOf = (uuid: string): number => Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)

describe('createUuids(now)', () => {
  it('makes UUIDs of version 7 that hold the time', () => {
    const before = Date.now()
    const uuid = createUuids()()
    expect(uuid).toMatch(version7)
    expect(timeOf(uuid)).toBeGreaterThanOrEqual(before)
    expect(timeOf(uuid)).toBeLessThanOrEqual(Date.now())
  })

  it.each([
    ['as the clock goes', Date.now],
    ['in a millisecond that does not end', () => 1_700_000_000_000],
    ['while the clock goes back', (time = 1_700_000_000_000) => time - Math.floor(Math.random() * 1000)],
  ])('each is greater than the one before: %s', (_what, now) => {
    const next = createUuids(() => now())
    const made = Array.from({ length: 20_000 }, next)
    expect(made.filter((uuid) => !version7.test(uuid))).toEqual([])
    expect(made.filter((uuid, at) => at > 0 && !(made[at - 1]! < uuid))).toEqual([])
  })

  it('two sources in one millisecond do not meet', () => {
    const [left, right] = [createUuids(() => 0), createUuids(() => 0)]
    const made = Array.from({ length: 1000 }, () => [left(), right()]).flat()
    expect(new Set(made).size).toBe(made.length)
  })
})
