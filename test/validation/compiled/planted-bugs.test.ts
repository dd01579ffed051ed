import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { loadValidation, type Mutation } from './load'
import { cases, outcomesOf, useFastContainer } from './outcomes'

const long = loadValidation()

beforeAll(useFastContainer)

type Bug = readonly [what: string, module: Mutation['module'], from: string, to: string]

const bugs: readonly Bug[] = [
  ['absent members pass', 'code', 'seen === ${plan.members.length}', 'seen >= 0'],
  ['absent members pass', 'closures', 'seen === all', 'seen >= 0'],
  ['undeclared members pass', 'code', "'default: return undefined'", "'default: break'"],
  ['undeclared members pass', 'closures', 'else if (!strip) return undefined', ''],
  ['null passes where it is refused', 'closures', "onNull === 'pass' ? null : doubtful", 'null'],
  ['null is not refused', 'code', "['if (v === null) return undefined', ...body]", 'body'],
  ['the last element of a list is lost', 'code', 'i < v.length', 'i < v.length - 1'],
  ['a kept tag is lost', 'code', 'tag.kept ?', '!tag.kept ?'],
  ['members that would hide a method are copied', 'free', 'key in Object.prototype', "key === 'constructor'"],
  ['a bound is no bound, in source', 'tests', "value <= limit, '<='", "value <= limit, '!=='"],
  ['a text is measured in units', 'text', 'units >= 3 * min', 'units >= min'],
  ['a text is not counted', 'text', '- presentations.length - pairs.length', ''],
  ['an object of a class is not required', 'absence', '!member.required && ', ''],
  ['defaults are not judged', 'absence', 'isSimple(member, initial) && passesAll(member, initial)', 'true'],
  ['own undefined members stay', 'absence', 'if (made[name] === undefined)', "if (name === '')"],
  ['rules on a list with a refused element speak', 'screen', 'inquiry.findings.silence(pointer)', ''],
  ['rules below what is refused speak', 'screen', 'inquiry.refused = true', ''],
  ['a torn union goes on', 'explain', '|| inquiry.torn', ''],
  ['what is missing is said after what is broken', 'explain', 'findMissing(', 'findBreaches('],
  ['the rules of a class come in the order of the model', 'plan', 'Object.keys(names)', '[...model.byName.keys()]'],
  ["the words of an absent value are not the author's", 'breaches', '!check.ownWords', 'true'],
  ['doubts are forgotten', 'explain', 'findings.settleDoubts()', ''],
]

describe('planted bugs', () => {
  test.each(bugs)('%s (%s.ts)', async (_, module, from, to) => {
    const broken = loadValidation({ code: module !== 'closures', mutation: { module, from, to } })
    const same = fc.asyncProperty(cases, async (given) => {
      const [expected, outcomes] = await outcomesOf(given, [long, broken])
      return isDeepStrictEqual(outcomes, expected)
    })
    const { failed } = await fc.check(same, { numRuns: 3000, seed: 20_240_229, endOnFailure: true })
    expect(failed).toBe(true)
  })
})
