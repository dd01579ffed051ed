import { Duplex } from 'node:stream'

/** One request as the bytes of a connection, to be sent again and again. */
export type RequestBytes = Buffer

/**
 * The other end of a connection that exists in memory alone: what is pushed is what the client sends; an answer is counted
 * when its head is written. No system call, so what is left is the server's own work.
 */
export class MemoryConnection extends Duplex {
  answered = 0

  override _read(): void {
    // Pushed from outside.
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.#look(chunk)
    done()
  }

  override _writev(chunks: ReadonlyArray<{ readonly chunk: Buffer | string }>, done: () => void): void {
    for (const { chunk } of chunks) this.#look(chunk)
    done()
  }

  #look(chunk: Buffer | string): void {
    const head = typeof chunk === 'string' ? chunk.startsWith('HTTP/1.1 ') : chunk[0] === 72 && chunk[4] === 47
    if (head) this.answered++
  }

  // What servers ask of a socket.
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 1
}
