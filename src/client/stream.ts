import { readChunks } from './body-chunks'
import { refuseError, type CallBase } from './call'
import { readContent } from './content'
import type { Answer, Draft } from './draft'
import { DecodeError } from './errors'
import { readLines } from './lines'

/**
 * Sends a request whose answer is read as it comes.
 *
 * @throws ResponseError where the status is one of an error
 */
export async function openStream({ send }: CallBase, draft: Draft): Promise<Answer> {
  const answer = await send({ ...draft, whole: false })
  if (answer.response.ok) return answer
  // Its body says what is wrong.
  refuseError(draft, { ...answer, content: await readContent(answer.response) })
  return answer
}

/**
 * The values of a stream of JSON lines; blank lines are skipped.
 *
 * @throws DecodeError where a line is no JSON
 */
export async function* streamValues(base: CallBase, draft: Draft): AsyncGenerator<unknown, void> {
  const answer = await openStream(base, draft)
  let line = 0
  for await (const text of readLines(readChunks(answer, draft))) {
    line += 1
    if (!blank.test(text)) yield parseLine(text, line, draft)
  }
}

const blank = /^[ \t\r]*$/

function parseLine(text: string, line: number, { method, url }: Draft): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new DecodeError({ method, url }, `line ${line} of the answer is no JSON`, cause)
  }
}
