// Runs TypeScript as the tests do, in a process of its own: node -r ./test/support/swc-register.cjs samples/showcase/main.ts
const { readFileSync } = require('node:fs')
const Module = require('node:module')
const { join } = require('node:path')
const { transformSync } = require('@swc/core')
const { moduleNameMapper, transform } = require('../../jest.config.js')

const root = join(__dirname, '..', '..')
const [, options] = transform['\\.ts$']

/** `kumu` and its doors, to the files that the tests load. */
const doors = Object.entries(moduleNameMapper)
  .filter(([pattern]) => pattern.startsWith('^kumu'))
  .map(([pattern, file]) => [new RegExp(pattern), file.replace('<rootDir>', root)])

const resolve = Module._resolveFilename
Module._resolveFilename = function resolveDoor(request, ...rest) {
  const door = doors.find(([pattern]) => pattern.test(request))
  return resolve.call(this, door ? door[1] : request, ...rest)
}

require.extensions['.ts'] = function compile(module, filename) {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename, swcrc: false })
  module._compile(code, filename)
}
