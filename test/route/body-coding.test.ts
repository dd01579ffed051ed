import fc from 'fast-check'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { decodeContent, parseCodings } from '../../src/route/body-coding'
import { thrownBy } from './codecs/context'

const encoders = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync }

describe('parseCodings(header)', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['identity', []],
    ['gzip', ['gzip']],
    [' GZip , br,', ['gzip', 'br']],
  ])('%j is %j', (header, codings) => {
    expect(parseCodings(header)).toEqual(codings)
  })

  it.each(['zstd', 'gzip;q=1', '*', 'constructor', 'gzip,br,gzip,br'])('%j is 415', (header) => {
    expect(thrownBy(() => parseCodings(header))).toMatchObject({
      status: 415,
      headers: { 'Accept-Encoding': 'gzip, deflate, br' },
    })
  })
})

describe('decodeContent(bytes, codings, limit)', () => {
  it('undoes any three codings', async () => {
    const coding = fc.constantFrom('gzip', 'x-gzip', 'deflate', 'br')
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.array(coding, { maxLength: 3 }), async (content, codings) => {
        const coded = codings.reduce((bytes, name) => encoders[name](bytes), Buffer.from(content))
        expect(await decodeContent(coded, codings, 10_000)).toEqual(Buffer.from(content))
      }),
      { numRuns: 50 },
    )
  })

  it('refuses deflate without its header, which RFC 9110 §8.4.1.2 asks for', async () => {
    await expect(decodeContent(deflateRawSync('abc'), ['deflate'], 100)).rejects.toMatchObject({ status: 400 })
  })

  it.each(['gzip', 'deflate', 'br'] as const)('%s up to its limit', async (coding) => {
    const coded = encoders[coding](Buffer.alloc(1000))
    expect(await decodeContent(coded, [coding], 1000)).toHaveLength(1000)
    await expect(decodeContent(coded, [coding], 999)).rejects.toMatchObject({ status: 413, code: 'too-large' })
  })

  it.each(['gzip', 'deflate', 'br'])('%s of garbage is 400', async (coding) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 50 }), async (garbage) => {
        const result = await decodeContent(Buffer.from(garbage), [coding], 1000).then(
          () => 'decoded by chance',
          (error: { status: number }) => error.status,
        )
        expect(['decoded by chance', 400, 413]).toContain(result)
      }),
      { numRuns: 50 },
    )
    await expect(decodeContent(Buffer.from('{"a":1}'), [coding], 1000)).rejects.toMatchObject({
      status: 400,
      code: 'coding',
    })
  })
})
