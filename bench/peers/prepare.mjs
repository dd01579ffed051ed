import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandOf, npm, runNode } from '../../scripts/tools.mjs'

const folder = dirname(fileURLToPath(import.meta.url))
const built = join(folder, '.build')
const generated = join(built, 'generated')

/** Installs the peers where they are not, and compiles their servers; what fails is said, and leaves out what needs it. */
export async function preparePeers() {
  if (!existsSync(join(folder, 'node_modules')) && !install()) return
  rmSync(built, { recursive: true, force: true })
  try {
    for (const app of ['w1', 'w2', 'w3', 'w4']) await generateTsoaRoutes(app)
  } catch (error) {
    console.log(`tsoa has no routes: ${error instanceof Error ? error.message : String(error)}`)
  }
  // What tsoa writes has errors of type, and the peers' declarations may be newer than the compiler.
  const status = runNode(commandOf('typescript', 'tsc'), ['-p', join(folder, 'tsconfig.json'), '--noCheck'])
  if (status !== 0) console.log('The peers do not compile: what was made of them is used.')
}

function install() {
  console.log('Installing the peers into bench/peers/node_modules …')
  try {
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
    return true
  } catch (error) {
    console.log(`The peers cannot be installed: ${error instanceof Error ? error.message : String(error)}`)
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
    return false
  }
}

/** Routes know all controllers of an application: each workload has routes of its own, as it has a process of its own. */
async function generateTsoaRoutes(app) {
  const { generateRoutes } = createRequire(join(folder, 'package.json'))('tsoa')
  const routesDir = join(generated, app)
  mkdirSync(routesDir, { recursive: true })
  const controllers = app === 'w4' ? join(routesDir, 'controllers.ts') : join(folder, 'tsoa', `${app}.ts`)
  if (app === 'w4') writeFileSync(controllers, manyControllers(1000))
  await generateRoutes(
    {
      entryFile: controllers,
      controllerPathGlobs: [controllers],
      routesDir,
      routesFileName: 'routes.ts',
      middleware: 'koa',
      noImplicitAdditionalProperties: 'throw-on-extras',
      bodyCoercion: false,
      noWriteIfUnchanged: false,
    },
    { strict: true, experimentalDecorators: true },
  )
}

/** The controllers of W4 as source, because tsoa reads nothing else: a hundred of ten routes each. */
function manyControllers(routes) {
  const lines = [`import { Controller, Get, Path, Route } from 'tsoa'`]
  for (let route = 0; route < routes; route++) {
    if (route % 10 === 0) lines.push(`@Route('')`, `export class Routes${route} extends Controller {`)
    lines.push(
      `  /** @isInt id */`,
      `  @Get('route-${route}/{id}')`,
      `  route${route}(@Path() id: number): { id: number; route: number } {`,
      `    return { id, route: ${route} }`,
      `  }`,
    )
    if (route % 10 === 9) lines.push('}')
  }
  return `${lines.join('\n')}\n`
}
