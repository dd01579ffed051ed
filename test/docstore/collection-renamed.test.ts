import { Exclude, Expose, Type } from 'class-transformer'
import { IsArray, IsOptional, IsString, ValidateNested } from 'class-validator'
import { unmountAll } from '../support/documents'
import type { Answer, Served } from '../support/serve'
import { closeCollections, createNote, serveNotes } from './support/collection'

afterEach(async () => {
  await unmountAll()
  await closeCollections()
})

class Part {
  @Expose({ name: 'part-no' }) @IsString() number!: string
  @Expose({ name: 'SECRET' })
  @Exclude({ toPlainOnly: true })
  @IsOptional()
  @IsString()
  secret?: string
}

class Edition {
  @IsString() title!: string
  @Expose({ name: 'isbn-13' }) @IsString() isbn!: string
  @Expose({ name: 'parts_of' })
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Part)
  parts?: Part[]
}

const body = {
  title: 'x',
  'isbn-13': '978',
  parts_of: [
    { 'part-no': '1', SECRET: 'a' },
    { 'part-no': '2', SECRET: 'b' },
  ],
}

const merge = 'application/merge-patch+json'
const operate = 'application/json-patch+json'

function patch(served: Served, path: string, type: string, change: unknown): Promise<Answer> {
  return served.ask('PATCH', path, {
    body: JSON.stringify(change),
    headers: { 'Content-Type': type },
  })
}

describe('PATCH of documents whose class gives its members other names', () => {
  it.each<[string, unknown, object]>([
    [merge, { title: 'y' }, { title: 'y' }],
    [merge, { 'isbn-13': '979' }, { isbn: '979' }],
    [merge, { parts_of: null }, { parts: undefined }],
    [operate, [{ op: 'replace', path: '/title', value: 'y' }], { title: 'y' }],
    [operate, [{ op: 'replace', path: '/isbn-13', value: '979' }], { isbn: '979' }],
    [operate, [{ op: 'copy', from: '/isbn-13', path: '/title' }], { title: '978' }],
    [
      operate,
      [{ op: 'replace', path: '/parts_of/0/part-no', value: '9' }],
      {
        parts: [
          { number: '9', secret: 'a' },
          { number: '2', secret: 'b' },
        ],
      },
    ],
    [operate, [{ op: 'remove', path: '/parts_of/0' }], { parts: [{ number: '2', secret: 'b' }] }],
  ])('%s %j', async (type, change, changes) => {
    const served = await serveNotes({ model: Edition })
    const { path, note } = await createNote(served, body)
    const answer = await patch(served, path, type, change)
    expect([answer.status, answer.text]).toEqual([200, expect.not.stringMatching(/secret/i)])
    expect((await served.ask('GET', path)).text).toBe(answer.text)
    const stored = await served.store.get(note.id)
    const before = {
      title: 'x',
      isbn: '978',
      parts: [
        { number: '1', secret: 'a' },
        { number: '2', secret: 'b' },
      ],
    }
    const expected = JSON.parse(JSON.stringify({ id: note.id, ...before, ...changes })) as object
    expect(JSON.parse(Buffer.from(stored?.body as Uint8Array).toString())).toEqual(expected)
  })

  it.each<[string, unknown, number]>([
    [merge, { isbn: '979' }, 422],
    [operate, [{ op: 'test', path: '/isbn', value: '978' }], 409],
    [operate, [{ op: 'test', path: '/parts_of/0/SECRET', value: 'a' }], 409],
    [operate, [{ op: 'add', path: '/isbn', value: '979' }], 422],
  ])('%s %j names what has no such name: %i', async (type, change, status) => {
    const served = await serveNotes({ model: Edition })
    const { path, etag } = await createNote(served, body)
    expect((await patch(served, path, type, change)).status).toBe(status)
    expect((await served.ask('GET', path)).headers.etag).toBe(etag)
  })
})
