import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { compile, root } from './tools.mjs'

rmSync(join(root, 'dist'), { recursive: true, force: true })
compile('tsconfig.build.json')
