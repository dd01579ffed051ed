'use strict'

// A pipe that says it is a terminal.
process.stdout.isTTY = true
