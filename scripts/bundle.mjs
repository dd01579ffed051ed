import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { build } from 'esbuild'

// Node takes some 0.3 ms to find, read and compile a module, and an application loads a hundred of ours before its first
// answer. So those that every application needs become one file, those that most of them need at some time another. Each
// module stays where it was, as one line that takes it out of its bundle: there is one copy of each with a state or a class.

/**
 * Bundles what the compiler has written.
 *
 * @param {string} dist its folder
 */
export async function bundle(dist) {
  // What the client stands on stays as files, for bundlers of browsers; the bundles have copies of what is arithmetic alone.
  const shared = reachedFrom(dist, 'client/')
  const core = loadedAtStart(dist).filter((id) => id !== 'errors')
  // The command line is loaded once and by itself, and its main file begins with the line that names its interpreter.
  const apart = (id) => id === 'errors' || /^(?:docstore|client|testing|cli)\//.test(id)
  const rest = modulesIn(dist).filter((id) => !core.includes(id) && !isEntry(id) && !apart(id))
  await write(dist, 'core', core, new Map())
  await write(dist, 'rest', rest, new Map(core.map((id) => [id, 'core'])))
  for (const [name, ids] of [
    ['core', core],
    ['rest', rest],
  ]) {
    for (const id of ids) {
      if (shared.has(id)) continue
      const door = relative(dirname(join(dist, id)), join(dist, name))
        .split(sep)
        .join('/')
      const path = door.startsWith('.') ? door : `./${door}`
      writeFileSync(join(dist, `${id}.js`), `"use strict";\nmodule.exports = require("${path}.js")["${id}"]();\n`)
      rmSync(join(dist, `${id}.js.map`), { force: true })
    }
  }
  openDoor(dist, core)
}

/** The modules outside a folder that its own load, and those that these load. */
function reachedFrom(dist, folder) {
  const reached = new Set()
  const look = (id) => {
    const text = readFileSync(join(dist, `${id}.js`), 'utf8')
    for (const [, path] of text.matchAll(/require\("(\.[^"]+)"\)/g)) {
      const found = idOf(dist, join(dist, dirname(id), `${path}.js`))
      if (found.startsWith(folder) || reached.has(found)) continue
      reached.add(found)
      look(found)
    }
  }
  for (const id of modulesIn(dist)) if (id.startsWith(folder)) look(id)
  return reached
}

/** What an application has loaded when it has answered its first request. */
function loadedAtStart(dist) {
  const script = `
    const { createApp, definePlan } = require('./index.js')
    const plan = definePlan({ id: 'hello', method: 'GET', path: '/:name', call: () => ({ hello: 'world' }) })
    const server = createApp({ plans: [plan] }).listen(0, '127.0.0.1', async () => {
      await (await fetch('http://127.0.0.1:' + server.address().port + '/x')).text()
      server.close()
      console.log(JSON.stringify(Object.keys(require.cache)))
    })`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: dist, encoding: 'utf8' })
  if (status !== 0) throw new Error(`What was built does not answer: ${stderr}`)
  return JSON.parse(stdout)
    .filter((file) => file.startsWith(dist + sep))
    .map((file) => idOf(dist, file))
    .filter((id) => !isEntry(id))
    .sort()
}

function modulesIn(dist) {
  return readdirSync(dist, { recursive: true })
    .filter((file) => file.endsWith('.js'))
    .map((file) => idOf(dist, join(dist, file)))
    .sort()
}

/** Doors stay as they are: tools read the names of what they export out of their text. */
function isEntry(id) {
  return id === 'index' || id.endsWith('/index')
}

function idOf(dist, file) {
  return relative(dist, file).split(sep).join('/').replace(/\.js$/, '')
}

/** Writes one bundle: its modules by name, each made when it is first asked for. */
async function write(dist, name, ids, elsewhere) {
  const own = new Set(ids)
  const lines = ids.map((id) => `  "${id}": () => require("./${id}.js"),`)
  await build({
    stdin: { contents: `module.exports = {\n${lines.join('\n')}\n}`, resolveDir: dist, sourcefile: 'modules.js' },
    outfile: join(dist, `${name}.js`),
    bundle: true,
    sourcemap: 'linked',
    sourcesContent: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    plugins: [{ name: 'kumu', setup: (given) => setUp(given, dist, own, elsewhere) }],
  })
}

function setUp(given, dist, own, elsewhere) {
  given.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
    const file = resolve(resolveDir, path.endsWith('.js') ? path : `${path}.js`)
    const id = idOf(dist, file)
    if (own.has(id)) return { path: file }
    if (elsewhere.has(id)) return { path: id, namespace: 'elsewhere' }
    return { path: `./${id}.js`, external: true }
  })
  given.onResolve({ filter: /^kumu:/ }, ({ path }) => ({ path: `./${path.slice(5)}.js`, external: true }))
  given.onLoad({ filter: /.*/, namespace: 'elsewhere' }, ({ path }) => ({
    contents: `module.exports = require("kumu:${elsewhere.get(path)}")["${path}"]()`,
    loader: 'js',
  }))
}

/** The main door takes what every application needs out of the bundle at once, and not by way of one file after another. */
function openDoor(dist, core) {
  const file = join(dist, 'index.js')
  const text = readFileSync(file, 'utf8')
  const known = new Set(core)
  writeFileSync(
    file,
    text.replace(/require\("\.\/([^"]+)"\)/g, (call, id) => (known.has(id) ? `require("./core.js")["${id}"]()` : call)),
  )
}
