import { commandOf, mustRun } from './tools.mjs'

const parameters = ['--max-warnings', '0', '--report-unused-disable-directives', '--ext', '.ts,.js,.mjs']
const given = process.argv.slice(2)
const paths = given.some((value) => !value.startsWith('-')) ? [] : ['.']
mustRun(commandOf('eslint'), [...parameters, ...given, ...paths], {
  env: { ...process.env, ESLINT_USE_FLAT_CONFIG: 'false' },
})
