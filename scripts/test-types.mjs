import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { npm, pack, root } from './tools.mjs'

// The packed package as its users meet it: installed by npm in a project far from this one, compiled by each supported
// compiler in each module system, run, and loaded by `require` and `import`; and the samples against it.
//   node scripts/test-types.mjs [--tarball FILE] [--keep]

const consumer = join(root, 'test', 'types', 'consumer')

const modes = [
  { name: 'commonjs', type: 'commonjs', options: { module: 'node16', moduleResolution: 'node16' } },
  { name: 'esm', type: 'module', options: { module: 'node16', moduleResolution: 'node16' } },
  { name: 'nodenext', type: 'module', options: { module: 'nodenext', moduleResolution: 'nodenext' } },
  { name: 'bundler', type: 'module', options: { module: 'esnext', moduleResolution: 'bundler' } },
]

const given = process.argv.slice(2)
const keep = given.includes('--keep')
const tarballAt = given.indexOf('--tarball')

const folder = mkdtempSync(join(tmpdir(), 'kumu-types-'))
let passed = 0
let failed = 0
try {
  const tarball = tarballAt < 0 ? pack(folder) : resolve(given[tarballAt + 1])
  const { devDependencies } = install(tarball)
  const compilers = Object.keys(devDependencies).filter((name) => name.startsWith('typescript-'))
  for (const mode of modes) makeProject(mode)
  cpSync(join(root, 'samples'), join(folder, 'samples'), { recursive: true })
  // The declarations of NATS' client do not hold under these checks: as in most projects, those of libraries are not checked.
  writeConfig(join(folder, 'samples'), { ...modes[0].options, skipLibCheck: true }, ['**/*.ts'])
  check('require(kumu)', ['runtime.cjs'])
  check('import kumu', ['runtime.mjs'])
  for (const compiler of compilers) {
    for (const { name } of modes) {
      const out = join('out', compiler)
      const compiled = check(`${compiler}, ${name}: compiles`, [
        join('node_modules', compiler, 'bin', 'tsc'),
        ...['-p', name, '--outDir', join(name, out)],
      ])
      if (compiled) check(`${compiler}, ${name}: runs`, [join(name, out, 'app.js')])
    }
  }
  // The showcase runs on every engine, so who compiles it has their libraries; all before this did without.
  installLibraries(['ioredis', '@nats-io/jetstream', '@nats-io/kv', '@nats-io/transport-node'])
  for (const compiler of compilers) {
    check(`${compiler}: samples compile`, [join('node_modules', compiler, 'bin', 'tsc'), '--noEmit', '-p', 'samples'])
  }
} finally {
  if (keep) console.log(`kept in ${folder}`)
  else rmSync(folder, { recursive: true, force: true })
}
console.log(`types: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function install(tarball) {
  const project = JSON.parse(readFileSync(join(consumer, 'package.json'), 'utf8'))
  project.dependencies.kumu = `file:${tarball}`
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project))
  for (const file of ['runtime.cjs', 'runtime.mjs']) cpSync(join(consumer, file), join(folder, file))
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder })
  return project
}

function installLibraries(names) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = names.map((name) => `${name}@${devDependencies[name]}`)
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', ...wanted], { cwd: folder })
}

function makeProject({ name, type, options }) {
  const place = join(folder, name)
  mkdirSync(place)
  for (const file of ['app.ts', 'wrong.ts']) cpSync(join(consumer, file), join(place, file))
  writeFileSync(join(place, 'package.json'), JSON.stringify({ type }))
  writeConfig(place, options)
}

function writeConfig(place, options, include) {
  const config = JSON.parse(readFileSync(join(consumer, 'tsconfig.json'), 'utf8'))
  Object.assign(config.compilerOptions, options, { rootDir: '.' })
  if (include) config.include = include
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config))
}

/** Runs a script of node in the project and keeps the score. */
function check(title, parameters) {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
  })
  const good = status === 0
  if (good) passed += 1
  else failed += 1
  console.log(`${good ? 'ok  ' : 'FAIL'} ${title}`)
  if (!good) console.log(`${stdout}${stderr}`.replace(/^/gm, '     '))
  return good
}
