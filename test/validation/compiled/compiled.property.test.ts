import fc from 'fast-check'
import { loadValidation } from './load'
import { cases, fuzzSettings, outcomesOf, useFastContainer } from './outcomes'

const long = loadValidation()
const generated = loadValidation()
const closures = loadValidation({ code: false })

beforeAll(useFastContainer)

describe('pipe(value, param) with compile on and off', () => {
  test('gives the same instances and the same errors, whatever the class and the value', async () => {
    const settings = fuzzSettings(3000)
    let accepted = 0
    let refused = 0
    const same = fc.asyncProperty(cases, async (given) => {
      const [expected, ...others] = await outcomesOf(given, [long, generated, closures])
      for (const outcomes of others) expect(outcomes).toStrictEqual(expected)
      for (const { value, status } of expected ?? []) {
        if (value !== undefined) accepted++
        else if (status === 422) refused++
      }
    })
    await fc.assert(same, settings)
    expect(accepted).toBeGreaterThan(settings.numRuns / 2)
    expect(refused).toBeGreaterThan(settings.numRuns / 2)
  }, 600_000)
})
