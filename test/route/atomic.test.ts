import { setTimeout as sleep } from 'node:timers/promises'
import { Atomic, createApp, Delete, Get, Param, Post, Put, Resource, type App } from 'kumu'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

/** Handlers that stay inside until they are let go, and a record of who was in. */
class Room {
  readonly inside: string[] = []
  readonly record: string[] = []
  most = 0
  readonly #doors: Array<() => void> = []

  async visit(who: string): Promise<string> {
    this.inside.push(who)
    this.record.push(who)
    this.most = Math.max(this.most, this.inside.length)
    await new Promise<void>((resolve) => this.#doors.push(resolve))
    this.inside.splice(this.inside.indexOf(who), 1)
    return who
  }

  /** Lets the one who came first go. */
  release(): void {
    this.#doors.shift()?.()
  }

  async has(count: number): Promise<void> {
    for (let turn = 0; this.record.length < count; turn++) {
      if (turn > 1000) throw new Error(`Only ${this.record.join()} came in`)
      await sleep(2)
    }
  }
}

function house(room: Room, wait?: number): App {
  @Resource('/rooms')
  @Atomic({ wait })
  class Rooms {
    @Get('/:id') read(@Param('id') id: string) {
      return room.visit(`read ${id}`)
    }
    @Put('/:id') write(@Param('id') id: string) {
      return room.visit(`write ${id}`)
    }
    @Delete('/:id') fail(@Param('id') id: string): never {
      throw new Error(`cannot remove ${id}`)
    }
  }
  return createApp({ resources: [Rooms], unknownQuery: 'ignore', logger: { error: () => undefined } })
}

/** Requests that have reached the server but wait for their turn are not seen from outside: give them time to get in. */
const turns = () => sleep(30)

describe('@Atomic()', () => {
  it('lets readers in together, and HEAD is one', async () => {
    const room = new Room()
    const { ask } = await serve(house(room))
    const answers = [ask('GET', '/rooms/a'), ask('GET', '/rooms/a'), ask('HEAD', '/rooms/a')]
    await room.has(3)
    expect(room.most).toBe(3)
    for (let n = 0; n < 3; n++) room.release()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it.each([
    ['/rooms/a', '/rooms/a'],
    ['/rooms/a', '/rooms/a/'],
    ['/rooms/a', '/rooms/a?with=query'],
    ['/rooms/a', '/rooms/%61'],
    ['/rooms/gr%C3%BC%C3%9Fe', '/rooms/gr%c3%bc%c3%9fe'],
  ])('lets one writer in at a time: %s and %s', async (first, second) => {
    const room = new Room()
    const { ask } = await serve(house(room))
    const answers = [ask('PUT', first), ask('PUT', second), ask('GET', first)]
    await room.has(1)
    await turns()
    expect(room.record).toHaveLength(1)
    for (let n = 1; n <= 3; n++) {
      await room.has(n)
      room.release()
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(room.most).toBe(1)
  })

  it.each([
    ['/rooms/a', '/rooms/b'],
    ['/rooms/a', '/rooms/A'],
    ['/rooms/a', '/rooms/a%2F'],
  ])('does not hold up other resources: %s and %s', async (first, second) => {
    const room = new Room()
    const { ask } = await serve(house(room))
    const answers = [ask('PUT', first), ask('PUT', second)]
    await room.has(2)
    expect(room.most).toBe(2)
    room.release()
    room.release()
    await Promise.all(answers)
  })

  it('lets a waiting writer in before readers that came after it', async () => {
    const room = new Room()
    const { ask } = await serve(house(room))
    const first = ask('GET', '/rooms/a')
    await room.has(1)
    const writer = ask('PUT', '/rooms/a')
    await turns()
    const late = ask('GET', '/rooms/a')
    await turns()
    expect(room.record).toEqual(['read a'])
    for (let n = 1; n <= 3; n++) {
      await room.has(n)
      room.release()
    }
    await Promise.all([first, writer, late])
    expect(room.record).toEqual(['read a', 'write a', 'read a'])
  })

  it('answers 503 with Retry-After to who waits too long, and runs nothing for it', async () => {
    const room = new Room()
    const { ask } = await serve(house(room, 20))
    const first = ask('PUT', '/rooms/a')
    await room.has(1)
    const late = await Promise.all([ask('PUT', '/rooms/a'), ask('GET', '/rooms/a')])
    expect(late.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [503, '1'],
      [503, '1'],
    ])
    expect(late[0]?.json()).toMatchObject({ status: 503, code: 'busy' })
    room.release()
    await first
    expect(room.record).toEqual(['write a'])
    const next = ask('PUT', '/rooms/a')
    await room.has(2)
    room.release()
    expect((await next).status).toBe(200)
  })

  it('lets in the readers that a writer held back when it gives up', async () => {
    const room = new Room()
    const { ask } = await serve(house(room, 60))
    const first = ask('GET', '/rooms/a')
    await room.has(1)
    const writer = ask('PUT', '/rooms/a')
    await turns()
    const reader = ask('GET', '/rooms/a')
    expect((await writer).status).toBe(503)
    await room.has(2)
    expect(room.record).toEqual(['read a', 'read a'])
    room.release()
    room.release()
    await Promise.all([first, reader])
  })

  it('is free again after a failure', async () => {
    const room = new Room()
    const { ask } = await serve(house(room, 20))
    for (let n = 0; n < 3; n++) expect((await ask('DELETE', '/rooms/a')).status).toBe(500)
    const next = ask('PUT', '/rooms/a')
    await room.has(1)
    room.release()
    expect((await next).status).toBe(200)
  })

  it('may say who reads', async () => {
    let inside = 0
    let most = 0
    @Resource('/search')
    class Search {
      @Post()
      @Atomic({ readers: ['POST'] })
      async search() {
        most = Math.max(most, ++inside)
        await sleep(20)
        inside--
      }
    }
    const { ask } = await serve(createApp({ resources: [Search] }))
    await Promise.all([ask('POST', '/search'), ask('POST', '/search')])
    expect(most).toBe(2)
  })

  it('counts right under many writers', async () => {
    let value = 0
    @Resource('/counter')
    class Counter {
      @Post()
      @Atomic()
      async increment() {
        const before = value
        await sleep(0)
        value = before + 1
      }
    }
    const { ask } = await serve(createApp({ resources: [Counter] }))
    await Promise.all(Array.from({ length: 50 }, () => ask('POST', '/counter')))
    expect(value).toBe(50)
  })
})
