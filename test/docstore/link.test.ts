import { ConnectionLost, Link, persist } from '../../src/docstore/link'

describe('Link', () => {
  function createLink(): { link: Link<number>; ended: number[]; lose: () => void; fail: { next: boolean } } {
    const [ended, fail] = [[] as number[], { next: false }]
    let count = 0
    let lose = (): void => undefined
    const link = new Link(
      async (onLost) => {
        await Promise.resolve()
        if (fail.next) throw new ConnectionLost('nobody')
        lose = onLost
        return ++count
      },
      (connection) => void ended.push(connection),
    )
    return { link, ended, fail, lose: () => lose() }
  }

  it('makes one connection for all who ask, and another one when it is lost', async () => {
    const { link, lose, ended } = createLink()
    expect(await Promise.all([link.get(), link.get()])).toEqual([1, 1])
    lose()
    expect(await link.get()).toBe(2)
    await link.drop()
    expect(await link.get()).toBe(3)
    await link.close()
    expect(ended).toEqual([2, 3])
    await expect(link.get()).rejects.toMatchObject({ code: 'closed' })
  })

  it('tells all who ask of a connection that does not come about, and tries again for the next', async () => {
    const { link, fail } = createLink()
    fail.next = true
    const results = await Promise.allSettled([link.get(), link.get()])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    fail.next = false
    expect(await link.get()).toBe(1)
  })

  it('ends a connection that comes about while it is being closed', async () => {
    const { link, ended } = createLink()
    const opening = link.get()
    await link.close()
    expect(await opening).toBe(1)
    expect(ended).toEqual([1])
  })

  it('forgets no later connection when an earlier one is lost at last', async () => {
    const losses: Array<() => void> = []
    let count = 0
    const link = new Link(
      async (onLost) => {
        losses.push(onLost)
        return ++count
      },
      () => undefined,
    )
    await link.get()
    await link.drop()
    await link.get()
    losses[0]!()
    expect(await link.get()).toBe(2)
  })
})

describe('persist(work, signal)', () => {
  it('tries again where the connection was lost, and nowhere else', async () => {
    const { signal } = new AbortController()
    let attempts = 0
    const twice = async (): Promise<number> => {
      if (++attempts < 3) throw new ConnectionLost('lost')
      return attempts
    }
    expect(await persist(twice, signal)).toBe(3)
    await expect(persist(() => Promise.reject(new Error('wrong')), signal)).rejects.toThrow('wrong')
  })

  it('ends with its signal, in the middle of waiting too', async () => {
    const abort = new AbortController()
    const lost = persist(() => Promise.reject(new ConnectionLost('lost')), abort.signal)
    abort.abort()
    expect(await lost).toBeUndefined()
    expect(await persist(() => Promise.resolve(1), abort.signal)).toBeUndefined()
  })
})
