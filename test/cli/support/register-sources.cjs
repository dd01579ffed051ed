'use strict'

// Compiles Kumu's own TypeScript only: what an application is written in is read by Node alone.
require('./register.cjs')
const { join, sep } = require('node:path')

const compile = require.extensions['.ts']
const sources = join(__dirname, '../../../src') + sep
require.extensions['.ts'] = (module, filename) =>
  filename.startsWith(sources) ? compile(module, filename) : require.extensions['.js'](module, filename)
