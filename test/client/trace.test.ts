import { createClient, withTrace, type TraceSource } from 'kumu/client'
import { closeAll } from '../support/serve'
import { record } from './support/server'

afterEach(closeAll)

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = `00-${traceId}-00f067aa0ba902b7-01`

async function sent(trace: boolean | TraceSource, headers = {}): Promise<readonly [string | undefined, unknown]> {
  const { url, seen } = await record((_, response) => response.end())
  await createClient(url, { trace }).get('/', { headers })
  const { traceparent, tracestate } = seen[0]!.headers
  return [traceparent as string | undefined, tracestate]
}

describe('trace', () => {
  it('is off unless it is asked for', async () => {
    expect(await sent(false)).toEqual([undefined, undefined])
  })

  it('begins a trace with every call', async () => {
    const { url, seen } = await record((_, response) => response.end())
    const api = createClient(url, { trace: true })
    await Promise.all(Array.from({ length: 50 }, () => api.get('/')))
    const parents = seen.map(({ headers }) => String(headers['traceparent']))
    for (const each of parents) expect(each).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/)
    expect(new Set(parents.map((each) => each.slice(3, 35))).size).toBe(50)
    expect(new Set(parents.map((each) => each.slice(36, 52))).size).toBe(50)
  })

  it.each([
    [
      'a trace',
      { traceparent: parent, tracestate: 'a=1' },
      new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
      'a=1',
    ],
    [
      'one that is not recorded',
      { traceparent: parent.replace(/01$/, '00') },
      new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`),
      undefined,
    ],
    [
      'unknown flags',
      { traceparent: parent.replace(/01$/, 'ff') },
      new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`),
      undefined,
    ],
    [
      'a later version',
      { traceparent: `01-${parent.slice(3)}-more` },
      new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`),
      undefined,
    ],
  ])('goes on with a new span in %s', async (_, context, traceparent, tracestate) => {
    const [found, state] = await sent(() => context)
    expect(found).toMatch(traceparent)
    expect(state).toBe(tracestate)
  })

  it.each([['text'], [`ff-${parent.slice(3)}`], [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`], [parent.toUpperCase()]])(
    'begins one where %s is under way',
    async (traceparent) => {
      const [found, state] = await sent(() => ({ traceparent, tracestate: 'a=1' }))
      expect(found).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
      expect(found).not.toContain(traceId)
      expect(state).toBeUndefined()
    },
  )

  it('leaves what the caller sends', async () => {
    expect(await sent(true, { traceparent: parent })).toEqual([parent, undefined])
  })

  it('withTrace()(fetch) is a fetch with a trace', async () => {
    const { url, seen } = await record((_, response) => response.end())
    await withTrace()(fetch)(new Request(url))
    expect(seen[0]?.headers['traceparent']).toMatch(/^00-/)
  })
})
