import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { docstore } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { createRevision, fromName, isRevision, toName } from '../../src/docstore/file-format'
import { createDirectory } from './support/directories'

const letters = 'ABCXYZabcxyz0189_-'.split('')
const key = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 255 }).map((chosen) => chosen.join(''))

describe('toName(key)', () => {
  it('is a short name that no disk folds, refuses or takes for another', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        expect(toName(one)).toMatch(/^[kh]-[a-z0-9_=-]{1,253}$/)
        expect(toName(one) === toName(other)).toBe(one === other)
      }),
      { seed: 1 },
    )
  })

  it('tells the key again, but for long ones', () => {
    fc.assert(
      fc.property(key, (one) => {
        const known = fromName(toName(one))
        expect(known === 'hashed' || known?.key === one).toBe(true)
        expect(known === 'hashed').toBe(one.length + one.replace(/[^A-Z]/g, '').length > 253)
      }),
      { seed: 2 },
    )
  })

  it.each(['', '.DS_Store', 'k-', 'k-A', 'k-a.b', 'k-=', 'k-=1', 'h-abc', 'a', '..'])(
    'takes %j for a foreign name',
    (name) => {
      expect(fromName(name)).toBeUndefined()
    },
  )
})

describe('createRevision()', () => {
  it('makes names, each once', () => {
    const revs = Array.from({ length: 2000 }, createRevision)
    expect(new Set(revs).size).toBe(2000)
    expect(revs.every(isRevision)).toBe(true)
  })
})

describe('file({ dir }) on the disk', () => {
  it('has the bytes first, the metadata behind them', async () => {
    const dir = createDirectory()
    const store = docstore(file({ dir }))
    const { rev, modified } = await store.put('Aa', 'hello', { type: 'text/plain' })
    expect(readdirSync(join(dir, 'keys'))).toEqual(['k-=aa'])
    expect(readdirSync(join(dir, 'keys/k-=aa'))).toEqual([rev])
    const facts = JSON.stringify({ key: 'Aa', type: 'text/plain', modified })
    const length = Buffer.from([0, 0, 0, facts.length]).toString('latin1')
    expect(readFileSync(join(dir, 'bodies', rev), 'latin1')).toBe(`hello${facts}${length}KDS1`)
    expect(readdirSync(join(dir, 'staging'))).toEqual([])
  })

  it('leaves nothing behind after replacing, deleting and failing', async () => {
    const dir = createDirectory()
    const store = docstore(file({ dir }))
    for (const body of ['1', '2', '3']) await store.put('a', body)
    await store.put('a', '4', { if: null }).catch(() => undefined)
    await store.delete('a')
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      throw new Error('gone')
    }
    await store.put('b', failing()).catch(() => undefined)
    for (const name of ['keys', 'bodies', 'staging']) expect(readdirSync(join(dir, name))).toEqual([])
  })

  it('sweeps what is old, not what may be somebody’s', async () => {
    const dir = createDirectory()
    const first = docstore(file({ dir }))
    const { rev } = await first.put('a', 'x')
    await first.close()
    const [old, fresh] = [createRevision(), createRevision()]
    const longAgo = new Date(Date.now() - 7_200_000)
    for (const each of [old, fresh]) {
      for (const path of [join(dir, 'bodies', each), join(dir, 'staging', each)]) {
        writeFileSync(path, 'half')
        if (each === old) utimesSync(path, longAgo, longAgo)
      }
    }
    const foreign = join(dir, 'bodies', 'README')
    writeFileSync(foreign, 'not ours')
    utimesSync(foreign, longAgo, longAgo)
    const store = docstore(file({ dir }))
    expect((await store.list()).items.map((item) => item.rev)).toEqual([rev])
    expect(readdirSync(join(dir, 'bodies')).sort()).toEqual(['README', fresh, rev].sort())
    expect(readdirSync(join(dir, 'staging'))).toEqual([fresh])
  })

  it('looks past foreign files, and says so where one is in the way', async () => {
    const dir = createDirectory()
    const store = docstore(file({ dir }))
    await store.put('a', 'x')
    writeFileSync(join(dir, 'keys', '.DS_Store'), '')
    mkdirSync(join(dir, 'keys', 'k-b'))
    writeFileSync(join(dir, 'keys', 'k-b', 'note.txt'), '')
    mkdirSync(join(dir, 'keys', 'k-c'))
    expect((await store.list()).items.map((item) => item.key)).toEqual(['a'])
    expect(await store.get('b')).toBeUndefined()
    expect((await store.put('c', '', { if: null })).key).toBe('c')
    await expect(store.put('b', 'x')).rejects.toThrow('The directory k-b holds something foreign')
  })

  it('says so where a body is damaged or missing', async () => {
    const dir = createDirectory()
    const store = docstore(file({ dir }))
    const { rev } = await store.put('a', 'x')
    for (const damage of ['', 'KDS1', 'xxxxxxxxKDS1', 'x'.repeat(100)]) {
      writeFileSync(join(dir, 'bodies', rev), damage)
      await expect(store.get('a')).rejects.toThrow(`The document of revision ${rev} is damaged`)
    }
  })
})
