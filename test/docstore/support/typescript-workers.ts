import { join } from 'node:path'

// A driver that starts a thread from TypeScript sources hands on the loaders that its process was started with. Jest has
// none: it compiles in its own way.
process.execArgv.push('--require', join(__dirname, 'register-typescript.cjs'))
