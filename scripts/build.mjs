import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.mjs'
import { compile, root } from './tools.mjs'

const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
compile('tsconfig.build.json')
await bundle(dist)
