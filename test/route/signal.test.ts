import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, Get, Intercept, Post, Body, Resource, Signal, type App } from 'kumu'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 1000) throw new Error('It never came')
    await sleep(2)
  }
}

/** What `work` is given, and the application that gives it. */
function watched(): { app: App; signals: AbortSignal[]; log: object[] } {
  const signals: AbortSignal[] = []
  const log: object[] = []
  @Resource('/jobs')
  class Work {
    @Get() async wait(@Signal() signal: AbortSignal) {
      signals.push(signal)
      if (!signal.aborted) await once(signal, 'abort')
      return 'too late'
    }
    @Get('/twice') twice(@Signal() one: AbortSignal, @Signal() other: AbortSignal) {
      return { same: one === other }
    }
    @Get('/at-once') atOnce(@Signal() signal: AbortSignal) {
      signals.push(signal)
      return 'done'
    }
    @Post() async take(@Body() body: string, @Signal() signal: AbortSignal) {
      signals.push(signal)
      return body
    }
    @Get('/slow') @Intercept(async (_ctx, next) => (await sleep(15), next())) slow(@Signal() signal: AbortSignal) {
      signals.push(signal)
    }
  }
  return { app: createApp({ resources: [Work], logger: { error: (details) => void log.push(details) } }), signals, log }
}

describe('@Signal()', () => {
  it('fires when the client leaves', async () => {
    const { app, signals, log } = watched()
    const { port } = await serve(app)
    const outgoing = request({ port, host: '127.0.0.1', path: '/jobs' }).on('error', () => undefined)
    outgoing.end()
    await until(() => signals.length === 1)
    expect(signals[0]?.aborted).toBe(false)
    outgoing.destroy()
    await until(() => signals[0]?.aborted === true)
    expect(signals[0]?.reason).toMatchObject({ name: 'AbortError' })
    await sleep(10)
    expect(log).toEqual([])
  })

  it('has fired where the client left before it was asked for', async () => {
    const { app, signals } = watched()
    const { port, server } = await serve(app)
    const arrived = once(server, 'request')
    const outgoing = request({ port, host: '127.0.0.1', path: '/jobs/slow' }).on('error', () => undefined)
    outgoing.end()
    await arrived
    outgoing.destroy()
    await until(() => signals.length === 1)
    await until(() => signals[0]?.aborted === true)
  })

  it('fires when the application stops', async () => {
    const { app, signals } = watched()
    const { ask, server } = await serve(app)
    const answer = ask('GET', '/jobs')
    await until(() => signals.length === 1)
    await app.close(server)
    expect([signals[0]?.aborted, (await answer).text]).toEqual([true, 'too late'])
  })

  it('does not fire after an answer that was complete', async () => {
    const { app, signals } = watched()
    const { ask, server } = await serve(app)
    expect((await ask('GET', '/jobs/at-once')).text).toBe('done')
    expect((await ask('POST', '/jobs', { body: 'text', headers: { 'Content-Type': 'text/plain' } })).text).toBe('text')
    await app.close(server)
    await sleep(5)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
  })

  it('is one a request', async () => {
    const { app } = watched()
    const { ask } = await serve(app)
    expect((await ask('GET', '/jobs/twice')).json()).toEqual({ same: true })
  })

  it('leaves no listener behind on the application', async () => {
    const listeners = jest.spyOn(AbortSignal.prototype, 'addEventListener')
    const removed = jest.spyOn(AbortSignal.prototype, 'removeEventListener')
    try {
      const { app } = watched()
      const { ask } = await serve(app)
      for (let n = 0; n < 20; n++) await ask('GET', '/jobs/at-once')
      await until(() => removed.mock.calls.length >= listeners.mock.calls.length)
      expect(listeners.mock.calls.length).toBeGreaterThanOrEqual(20)
    } finally {
      listeners.mockRestore()
      removed.mockRestore()
    }
  })
})
