/**
 * The lines of a text that comes in pieces, without their ends.
 *
 * @param chunks bytes of UTF-8, cut anywhere: inside a character too; a byte order mark is dropped
 * @param ends where lines end: at LF, or at CR, LF and CRLF alike
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  ends: 'lf' | 'any' = 'lf',
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  const end = ends === 'lf' ? /\n/g : /\r\n|\n|\r/g
  // Pieces of a line are put together once: a long line of many pieces would else be copied with each.
  let pieces: string[] = []
  let sawReturn = false
  const take = function* (text: string): Generator<string, void> {
    // The LF of a CRLF that was cut in two ends no other line.
    let start = sawReturn && text.startsWith('\n') ? 1 : 0
    if (text !== '') sawReturn = ends === 'any' && text.endsWith('\r')
    end.lastIndex = start
    for (let found = end.exec(text); found; found = end.exec(text)) {
      pieces.push(text.slice(start, found.index))
      yield pieces.length === 1 ? pieces[0]! : pieces.join('')
      pieces = []
      start = end.lastIndex
    }
    if (start < text.length) pieces.push(text.slice(start))
  }
  for await (const chunk of chunks) yield* take(decoder.decode(chunk, { stream: true }))
  yield* take(decoder.decode())
  if (pieces.length > 0) yield pieces.join('')
}
