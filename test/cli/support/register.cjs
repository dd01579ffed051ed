'use strict'

// As test/support/swc-register.cjs, but `import()` stays one: the command line loads ES modules by it.
const { transform } = require('../../../jest.config.js')

transform['\\.ts$'][1].module.ignoreDynamic = true
require('../../support/swc-register.cjs')
