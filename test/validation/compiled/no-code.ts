// Run in a process of its own that may not make code of strings: what it prints is looked at by a test.
import 'reflect-metadata'
import { IsInt, IsString, Length, Max } from 'class-validator'
import { HttpError } from '../../../src/errors'
import { createCompiler } from '../../../src/validation/compiled/compile'
import { createModels } from '../../../src/validation/model'
import { createValidation } from '../../../src/validation/pipe'
import { designType, paramOf } from '../support'

class User {
  @IsString() @Length(1, 8) name!: string
  @IsInt() @Max(150) age!: number
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function tell(value: unknown): Promise<string> {
  try {
    const made = (await createValidation({}, designType).pipe(value, paramOf(User))) as object
    return `accepted ${made.constructor.name}`
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    return `${error.status} ${error.errors?.map(({ pointer, code }) => `${pointer} ${code}`).join(', ')}`
  }
}

function canMakeCode(): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- whether it throws is the question
    new Function('')
    return true
  } catch {
    return false
  }
}

const compiled = createCompiler({
  models: createModels(designType),
  groups: undefined,
  strip: false,
  acceptNull: false,
})(User)
const made = compiled?.accept({ name: 'a', age: 1 })
print(JSON.stringify({ canMakeCode: canMakeCode(), short: made?.constructor.name }))
async function main(): Promise<void> {
  for (const [name, age] of [
    ['a', 1],
    ['', 1],
    ['a', 151],
  ]) {
    print(await tell({ name, age }))
  }
}

void main()
