const { exports: doors } = require('./package.json')

const compiled = process.env.KUMU_TEST_BUILD === '1'
const root = compiled ? '<rootDir>/dist' : '<rootDir>/src'

/** `kumu` and its other doors, as package.json names them, each to the file behind it. */
const doorFiles = Object.entries(doors)
  .filter(([, target]) => typeof target === 'object')
  .map(([door, target]) => [
    `^kumu${door.slice(1)}$`,
    target.default.replace('./dist', root).replace(/\.js$/, compiled ? '.js' : '.ts'),
  ])

/** Long races, searches and comparisons: `KUMU_TEST_SHORT=1` leaves them out, where the sources have had them already. */
const long = [
  '/validation/(?:compiled|differential|exact)/',
  '/docstore/(?:drivers/|conformance|model|outages|parts|power-loss|processes|query|documents-memory)',
  '/showcase/(?:kill|two-processes)',
  '/openapi/(?:page|typings)',
  '/client/oidc-(?!process|options)',
  '/testing/(?:differential|harden)',
  '/koa/returned',
  '/cli/check',
]

/** The same suite runs on the sources (swc) and, with KUMU_TEST_BUILD=1, on what tsc built. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    ...Object.fromEntries(doorFiles),
    ...(compiled
      ? { '^(?:\\.\\./)+src$': '<rootDir>/dist/index.js', '^(?:\\.\\./)+src/(.*)$': '<rootDir>/dist/$1' }
      : {}),
  },
  // These put another module in the place of one of ours: a bundle has none to replace.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.KUMU_TEST_SHORT === '1' ? long : []),
    ...(compiled
      ? ['/validation/compiled/(?:planted-bugs|compiled\\.property|compile)\\.', '/differential/planted-bugs\\.']
      : []),
  ],
  // Generous: a shared machine of two cores may be several times slower than a quiet one.
  testTimeout: 60_000,
  workerIdleMemoryLimit: '1GB',
}
