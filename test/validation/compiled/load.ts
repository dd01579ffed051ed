import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { transformSync } from '@swc/core'
import { IsString, ValidateIf } from 'class-validator'
import type { createValidation } from '../../../src/validation/pipe'
import { designType, paramOf } from '../support'
import { trustedName } from './generated'

const room = '../../../src/validation/compiled'

/** A bug that is planted in a module: what it says is replaced. */
export interface Mutation {
  readonly module:
    'absence' | 'breaches' | 'closures' | 'code' | 'explain' | 'free' | 'missing' | 'plan' | 'screen' | 'tests' | 'text'
  readonly from: string
  readonly to: string
}

interface Given {
  /** Whether code may be made of strings. */
  readonly code?: boolean
  readonly mutation?: Mutation
}

/** The door of the validation, loaded anew: with the back end that is asked for, and the bug that is planted. */
export function loadValidation({ code = true, mutation }: Given = {}): typeof createValidation {
  let loaded: typeof createValidation | undefined
  let planted = !mutation
  let refused = code
  jest.isolateModules(() => {
    // The metadata, and what is proven of it, is that of the classes of the test.
    for (const shared of [
      'class-validator',
      'class-transformer',
      'class-transformer/cjs/storage',
      'reflect-metadata',
    ]) {
      jest.doMock(shared, () => modules[shared])
    }
    for (const [path, actual] of Object.entries(ours)) jest.doMock(path, () => actual)
    if (mutation)
      jest.doMock(`${room}/${mutation.module}`, () => {
        planted = true
        return mutate(mutation)
      })
    if (!code) {
      jest.doMock(`${room}/code`, () => ({
        generateAccept() {
          refused = true
          throw new EvalError('Code generation from strings disallowed for this context')
        },
      }))
    }
    loaded = (require('../../../src/validation/pipe') as typeof import('../../../src/validation/pipe')).createValidation
    warmUp(loaded)
  })
  if (!planted || !refused) throw new Error('The validation was not loaded as it was asked for')
  jest.resetModules()
  for (const path of [...Object.keys(modules), ...Object.keys(ours), `${room}/code`]) jest.dontMock(path)
  if (mutation) jest.dontMock(`${room}/${mutation.module}`)
  return loaded as typeof createValidation
}

class Warm {
  @IsString() text!: string
  @ValidateIf(() => true) @IsString() other!: string
}

class Plain {
  @IsString() text!: string
}

/** What is loaded at the first request has to come from here, and not from what the test itself has loaded. */
function warmUp(create: typeof createValidation): void {
  for (const type of [Plain, Warm]) {
    const { pipe } = create({}, designType)
    for (const value of [{ text: 'a', other: 'b' }, { text: 1 }]) {
      // One of them is refused, at once or later; all is loaded at once.
      try {
        Promise.resolve(pipe(value, paramOf(type))).catch(() => undefined)
      } catch {
        continue
      }
    }
  }
}

const modules: Readonly<Record<string, unknown>> = {
  'class-validator': require('class-validator'),
  'class-transformer': require('class-transformer'),
  'class-transformer/cjs/storage': require('class-transformer/cjs/storage'),
  'reflect-metadata': require('reflect-metadata'),
}

const ownRules =
  require('../../../src/validation/exact/own-rules') as typeof import('../../../src/validation/exact/own-rules')
type Rule = Parameters<typeof ownRules.ownRule>[0]

const ours: Readonly<Record<string, unknown>> = {
  '../../../src/errors': require('../../../src/errors'),
  '../../../src/route/plan': require('../../../src/route/plan'),
  '../../../src/validation/nullable': require('../../../src/validation/nullable'),
  '../../../src/validation/exact/own-rules': {
    ...ownRules,
    ownRule: (rule: Rule) => trustedName(rule) ?? ownRules.ownRule(rule),
  },
}

/** A module out of its source with something else in it. */
function mutate({ module: name, from, to }: Mutation): unknown {
  const path = join(__dirname, room, `${name}.ts`)
  const source = readFileSync(path, 'utf8')
  if (!source.includes(from)) throw new Error(`${name}.ts does not say ${from}`)
  const { code } = transformSync(source.replaceAll(from, to), {
    filename: path,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  })
  const exports = {}
  const load = (wanted: string): unknown => require(`../../../src/validation/${posix.join('compiled', wanted)}`)
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a module with a planted bug has no file
  new Function('require', 'exports', code)(load, exports)
  return exports
}
