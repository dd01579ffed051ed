import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { Body, created, createApp, Get, HttpError, Param, Post, Query, Resource } from 'kumu'
import { docstore } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'

const values = { Body, created, createApp, Get, HttpError, Param, Post, Query, Resource, docstore, memory }
for (const [name, value] of Object.entries(values)) assert.equal(typeof value, 'function', name)

// Every name that `require` gives can be imported by name too: node finds them by reading the CommonJS text.
const require = createRequire(import.meta.url)
for (const door of ['kumu', 'kumu/docstore', 'kumu/docstore/memory']) {
  const imported = await import(door)
  for (const name of Object.keys(require(door))) assert.equal(imported[name], require(door)[name], `${door}: ${name}`)
}

// One copy: what `import` gives is what `require` gives.
assert.equal(require('kumu').HttpError, HttpError)
await assert.rejects(import('kumu/dist/index.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
