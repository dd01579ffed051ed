const assert = require('node:assert/strict')

assert.equal(typeof require('kumu').createApp, 'function')
assert.equal(typeof require('kumu').Resource, 'function')
assert.equal(typeof require('kumu/docstore').docstore, 'function')
assert.equal(typeof require('kumu/docstore/memory').memory, 'function')
assert.equal(typeof require('kumu/package.json').version, 'string')
assert.throws(() => require('kumu/dist/index.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
