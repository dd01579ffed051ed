import type { Answer, Draft } from './draft'
import { toFailure } from './exchange'

/**
 * The bytes of an answer as they come. Leaving early, or the signal, ends the connection.
 *
 * @param answer one that was not read
 * @param draft the request, for its signal and for errors
 * @throws NetworkError where the answer breaks off; the signal's reason where that ended it
 */
export async function* readChunks(answer: Answer, draft: Draft): AsyncGenerator<Uint8Array, void> {
  const { body } = answer.response
  if (!body) return
  const { signal } = draft
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>
  const cancel = (): void => void reader.cancel(signal?.reason).catch(ignore)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    while (true) {
      if (signal?.aborted) throw signal.reason as Error
      const { done, value } = await reader.read()
      // A cancelled reader says that it is done.
      if (signal?.aborted) throw signal.reason as Error
      if (done) return
      yield value
    }
  } catch (error) {
    throw toFailure(error, draft)
  } finally {
    signal?.removeEventListener('abort', cancel)
    await reader.cancel().catch(ignore)
  }
}

function ignore(): void {
  // Whoever reads is told.
}
