import {
  assertPrecondition,
  Body,
  Context,
  createApp,
  Get,
  Header,
  Param,
  Patch,
  Post,
  Put,
  RequireMatch,
  Resource,
  withETag,
} from 'kumu'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

function served() {
  const calls: string[] = []

  @Resource('/notes')
  class Notes {
    private readonly notes = new Map([['a', { rev: '1', text: 'hello' }]])

    @Get('/:id') one(@Param('id') id: string) {
      const note = this.notes.get(id)
      return note && withETag(note.text, note.rev)
    }
    @Put('/:id') replace(@Param('id') id: string, @Body() text: string, @Context() ctx: Context) {
      const note = this.notes.get(id)
      assertPrecondition(ctx, note?.rev)
      this.notes.set(id, { rev: String(Number(note?.rev ?? 0) + 1), text })
    }
    @Patch('/:id') @RequireMatch() change(@Param('id', Number) id: number, @Header('if-match') match: string) {
      calls.push(`${id} ${match}`)
    }
    @Post() plain() {
      calls.push('plain')
    }
  }
  return { app: createApp({ resources: [new Notes()] }), calls }
}

const text = { 'Content-Type': 'text/plain' }

describe('assertPrecondition(ctx, rev)', () => {
  it.each([
    [204, {}, 'a'],
    [204, { 'If-Match': '"1"' }, 'a'],
    [204, { 'If-Match': '"0", "1"' }, 'a'],
    [204, { 'If-Match': '*' }, 'a'],
    [412, { 'If-Match': '"2"' }, 'a'],
    [412, { 'If-Match': 'W/"1"' }, 'a'],
    [412, { 'If-Match': '*' }, 'new'],
    [412, { 'If-None-Match': '*' }, 'a'],
    [412, { 'If-None-Match': '"1"' }, 'a'],
    [204, { 'If-None-Match': '*' }, 'new'],
    [204, { 'If-None-Match': '"2"' }, 'a'],
  ])('%i for %j on %s', async (status, headers, id) => {
    const { ask } = await serve(served().app)
    const answer = await ask('PUT', `/notes/${id}`, { headers: { ...text, ...headers }, body: 'new' })
    expect(answer.status).toBe(status)
    if (status === 412 && id === 'a') expect(answer.headers.etag).toBe('"1"')
    const kept = await ask('GET', '/notes/a')
    expect(kept.text).toBe(status === 204 && id === 'a' ? 'new' : 'hello')
  })

  it('B70: takes the tag that GET gave, once', async () => {
    const { ask } = await serve(served().app)
    const { etag = '' } = (await ask('GET', '/notes/a')).headers
    const put = () => ask('PUT', '/notes/a', { headers: { ...text, 'If-Match': etag }, body: 'x' })
    expect((await put()).status).toBe(204)
    expect((await put()).status).toBe(412)
  })
})

describe('what is asked of the headers before anything is read', () => {
  it('428 comes before a missing header and a wrong argument', async () => {
    const { app, calls } = served()
    const { ask } = await serve(app)
    expect((await ask('PATCH', '/notes/x')).status).toBe(428)
    expect((await ask('PATCH', '/notes/x', { headers: { 'If-Match': '"1"' } })).status).toBe(400)
    expect((await ask('PATCH', '/notes/7', { headers: { 'If-Match': '"1"' } })).status).toBe(204)
    expect(calls).toEqual(['7 "1"'])
  })

  it.each(['multipart/form-data; boundary=x', 'multipart/mixed; boundary=x'])(
    'B61: %s to a route without body is 415',
    async (type) => {
      const { app, calls } = served()
      const { ask } = await serve(app)
      const answer = await ask('POST', '/notes', { headers: { 'Content-Type': type }, body: '--x--\r\n' })
      expect(answer.status).toBe(415)
      expect(calls).toEqual([])
      expect((await ask('POST', '/notes', { body: { any: 'thing' } })).status).toBe(204)
    },
  )
})
