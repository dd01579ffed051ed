#!/usr/bin/env node
import { run } from './run'
import { createTerminal } from './terminal'

// Who reads only the first lines closes the pipe: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const terminal = createTerminal()

void run(process.argv.slice(2), terminal).then(async (code) => {
  await terminal.flush()
  // An application that was loaded may hold connections and timers: nobody waits for those.
  process.exit(code)
})
