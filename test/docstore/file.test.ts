import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { docstore, text } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { DirectorySync, type FileSystem, hostFileSystem } from '../../src/docstore/file-system'
import { createDirectory } from './support/directories'

describe('file({ dir }) beside another one', () => {
  it('sees and replaces what the other has written, whatever it remembers', async () => {
    const dir = createDirectory()
    const [store, other] = [docstore(file({ dir })), docstore(file({ dir }))]
    await store.put('a', '1')
    expect(await text((await other.get('a'))!)).toBe('1')
    await other.put('a', '2')
    expect(await text((await store.get('a'))!)).toBe('2')
    await other.put('a', '3')
    // What it remembers is not the current revision.
    await store.put('a', '4')
    expect(await text((await other.get('a'))!)).toBe('4')
    await other.delete('a')
    expect(await store.get('a')).toBeUndefined()
    await other.put('a', '5')
    await other.delete('a')
    await store.put('a', '6')
    const { rev } = (await other.get('a'))!
    await other.put('a', '7')
    await expect(store.put('a', '8', { if: rev })).rejects.toMatchObject({ code: 'conflict' })
    expect(await text((await store.get('a'))!)).toBe('7')
    await Promise.all([store.close(), other.close()])
    expect(readdirSync(join(dir, 'bodies'))).toHaveLength(1)
    expect(readdirSync(join(dir, 'staging'))).toEqual([])
  })

  it.each([0, 1, 3000, 3900, 4000, 4096, 5000, 65_536, 65_537, 200_000])('reads back %d bytes', async (size) => {
    const store = docstore(file({ dir: createDirectory() }))
    const body = 'x'.repeat(size)
    await store.put('a', body, { type: 'a/b' })
    expect(await text((await store.get('a'))!)).toBe(body)
    expect(await store.get('a', { body: false })).toMatchObject({ size, type: 'a/b' })
    await store.close()
  })
})

describe('new DirectorySync(fs, path).sync()', () => {
  function createSyncs(): { fs: FileSystem; settle: Array<(error?: Error) => void> } {
    const settle: Array<(error?: Error) => void> = []
    const sync = (): Promise<void> =>
      new Promise((resolve, reject) => settle.push((error) => (error ? reject(error) : resolve())))
    const fs = { ...hostFileSystem, open: async () => ({ sync, close: async () => undefined }) as never }
    return { fs, settle }
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  it('covers with one sync all that came while another was under way', async () => {
    const { fs, settle } = createSyncs()
    const directory = new DirectorySync(fs, '/x')
    const settled: string[] = []
    const note = (name: string): void => void directory.sync().then(() => settled.push(name))
    note('first')
    await turn()
    note('second')
    note('third')
    await turn()
    expect(settle).toHaveLength(1)
    settle[0]!()
    await turn()
    // The one that was under way does not count for those who came later.
    expect(settled).toEqual(['first'])
    expect(settle).toHaveLength(2)
    settle[1]!()
    await turn()
    expect(settled).toEqual(['first', 'second', 'third'])
  })

  it('fails those whom it would have covered, and nobody else', async () => {
    const { fs, settle } = createSyncs()
    const directory = new DirectorySync(fs, '/x')
    const first = directory.sync()
    await turn()
    const second = directory.sync()
    settle[0]!(new Error('broken'))
    await expect(first).rejects.toThrow('broken')
    await turn()
    settle[1]!()
    await second
  })
})
