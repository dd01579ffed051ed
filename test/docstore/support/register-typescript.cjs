'use strict'

// What Jest does for its own threads, for those that the code under test starts: TypeScript is compiled as it is loaded.
const { transformFileSync } = require('@swc/core')
const Module = require('node:module')

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformFileSync(filename, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  })
  module._compile(code, filename)
}
