import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, Get, Resource, Signal, Timeout } from 'kumu'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

const silent = { error: () => undefined }

describe('@Timeout(milliseconds)', () => {
  it('answers 503 with Retry-After, and fires the signal with the reason', async () => {
    let reason: unknown
    @Resource('/slow')
    @Timeout(15)
    class Slow {
      @Get() async wait(@Signal() signal: AbortSignal) {
        await once(signal, 'abort')
        reason = signal.reason
      }
    }
    const { ask } = await serve(createApp({ resources: [Slow], logger: silent }))
    const answer = await ask('GET', '/slow')
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(answer.json()).toMatchObject({ status: 503, code: 'timeout' })
    expect(reason).toBeInstanceOf(Error)
  })

  it('leaves the quick alone, and their signal', async () => {
    const signals: AbortSignal[] = []
    @Resource('/quick')
    class Quick {
      @Get()
      @Timeout(20)
      answer(@Signal() signal: AbortSignal) {
        signals.push(signal)
        return 'done'
      }
    }
    const { ask } = await serve(createApp({ resources: [Quick] }))
    expect((await ask('GET', '/quick')).text).toBe('done')
    await sleep(40)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })

  it('a method’s wins over its class’s', async () => {
    @Resource('/both')
    @Timeout(10)
    class Both {
      @Get()
      @Timeout(1000)
      async answer() {
        await sleep(30)
        return 'done'
      }
    }
    const { ask } = await serve(createApp({ resources: [Both] }))
    expect((await ask('GET', '/both')).text).toBe('done')
  })

  it.each([
    ['a value', () => 'late'],
    ['an error', () => Promise.reject(new Error('late'))],
  ])('drops %s that comes later', async (_name, late) => {
    const log: object[] = []
    let isOver = false
    @Resource('/late')
    class Late {
      @Get()
      @Timeout(5)
      async answer() {
        await sleep(20)
        isOver = true
        return late()
      }
    }
    const { ask } = await serve(
      createApp({ resources: [Late], logger: { error: (details) => void log.push(details) } }),
    )
    expect((await ask('GET', '/late')).status).toBe(503)
    while (!isOver) await sleep(2)
    expect((await ask('GET', '/late')).status).toBe(503)
    expect(log).toEqual([])
  })

  it('closes a stream that comes later', async () => {
    const stream = new PassThrough()
    @Resource('/late')
    class Late {
      @Get()
      @Timeout(5)
      async answer() {
        await sleep(20)
        return stream
      }
    }
    const { ask } = await serve(createApp({ resources: [Late], logger: silent }))
    expect((await ask('GET', '/late')).status).toBe(503)
    await once(stream, 'close')
    expect(stream.destroyed).toBe(true)
  })

  it.each([0, -1, Number.NaN])('@Timeout(%p) is refused at start', (milliseconds) => {
    @Resource('/none')
    class None {
      @Get()
      @Timeout(milliseconds)
      answer() {
        return 'never'
      }
    }
    expect(() => createApp({ resources: [None] })).toThrow(/None\.answer.*@Timeout/)
  })
})
