'use strict'

// Standard output whose reader has gone: each write is answered with EPIPE.
const { stdout } = process
stdout.write = (_text, done) => {
  const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  setImmediate(() => {
    stdout.emit('error', error)
    done?.(error)
  })
  return false
}
