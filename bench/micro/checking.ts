import Ajv from 'ajv'
import { plainToInstance } from 'class-transformer'
import { validateSync } from 'class-validator'
import * as kumu from 'kumu'
import { User } from '../servers/user'
import { roles } from '../work'
import { makeUser } from '../workloads/w2'
import { makeBroken } from '../workloads/w5'
import { type BodyClass, makeBodyClasses } from './classes'
import { missing } from './load'
import { type Candidate, timeRow } from './timer'

/** `parse` gives the checked instance or throws, `validate` tells what is wrong. */
type CompileValidator = (type: new () => object) => Record<'parse' | 'validate', (value: unknown) => unknown>

const strict = { whitelist: true, forbidNonWhitelisted: true }
const text = { type: 'string' }

const userProperties = {
  name: { type: 'string', minLength: 1, maxLength: 80 },
  email: { type: 'string', pattern: '^[^\\s@]{1,64}@(?:[A-Za-z0-9-]+\\.)+[A-Za-z]{2,}$' },
  age: { type: 'integer', minimum: 0, maximum: 150 },
  tags: { type: 'array', items: text, maxItems: 10 },
  address: {
    type: 'object',
    properties: { street: text, city: text, zip: { type: 'string', pattern: '^\\d{5}$' } },
    required: ['street', 'city', 'zip'],
    additionalProperties: false,
  },
  role: { type: 'string', enum: roles },
}

const userSchema = {
  type: 'object',
  properties: userProperties,
  required: Object.keys(userProperties),
  additionalProperties: false,
}

/** From a plain value to a checked instance, or to all that is wrong with it. */
export function checking(): void {
  const entries = makeBodyClasses(200)
  const compile = (kumu as { compileValidator?: CompileValidator }).compileValidator
  const notes = compile ? [] : [missing("Kumu's compiled validation: this version exports no compileValidator")]

  function candidates(valueOf: (turn: number) => object, ask: 'parse' | 'validate'): Candidate[] {
    const ajv = new Ajv({ allErrors: true }).compile(userSchema)
    const found: Candidate[] = [
      { name: 'class-transformer, class-validator', run: (turn) => throughLibraries(User, valueOf(turn)) },
      { name: 'ajv, a schema by hand, no instance', run: (turn) => ajv(valueOf(turn)) || ajv.errors },
    ]
    if (!compile) return found
    const validator = compile(User)
    return [...found, { name: 'Kumu', run: (turn) => validator[ask](valueOf(turn)) }]
  }

  const valid = valuesOf(makeUser)
  const broken = valuesOf(makeBroken)
  timeRow({ title: 'the body of W2, 200 other classes about', candidates: candidates(valid, 'parse'), notes })
  timeRow({ title: 'the body of W5, 200 other classes about', candidates: candidates(broken, 'validate'), notes })
  timeRow({ title: 'bodies of 200 classes in rotation', candidates: inRotation(entries, compile), notes })
}

function inRotation(entries: readonly BodyClass[], compile: CompileValidator | undefined): Candidate[] {
  const found: Candidate[] = [
    rotating(
      'class-transformer, class-validator',
      entries,
      ({ type }) =>
        (value) =>
          throughLibraries(type, value),
    ),
  ]
  if (!compile) return found
  return [...found, rotating('Kumu', entries, ({ type }) => compileCheck(compile, type))]
}

type Check = (value: object) => unknown

function compileCheck(compile: CompileValidator, type: new () => object): Check {
  const validator = compile(type)
  return (value) => validator.parse(value)
}

function rotating(name: string, entries: readonly BodyClass[], toCheck: (entry: BodyClass) => Check): Candidate {
  const steps = entries.map((entry) => ({ check: toCheck(entry), value: entry.valid }))
  return {
    name,
    run(turn) {
      const step = steps[turn % steps.length]
      return step?.check(step.value)
    },
  }
}

function throughLibraries(type: new () => object, value: object): unknown {
  const instance = plainToInstance(type, value)
  const errors = validateSync(instance, strict)
  return errors.length > 0 ? errors : instance
}

/** A hundred bodies in turn, made before the clock runs: none of the candidates changes what it is given. */
function valuesOf(make: (n: number) => object): (turn: number) => object {
  const values = Array.from({ length: 100 }, (_, n) => make(n + 1))
  return (turn) => values[turn % values.length] ?? {}
}
