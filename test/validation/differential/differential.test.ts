import { createBuilder } from '../../../src/validation/exact/build'
import { createChecker } from '../../../src/validation/exact/check'
import { fuzz, runs, seed } from './fuzz'

describe('createBuilder(options), createChecker(options)', () => {
  test(`do what class-transformer and class-validator do (seed ${seed}, ${runs} runs)`, async () => {
    await fuzz({ createBuilder, createChecker })
  }, 3_600_000)
})
