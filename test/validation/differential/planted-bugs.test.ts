import { fuzz } from './fuzz'
import { loadWith, type Bug } from './mutants'

const bugs: readonly Bug[] = [
  {
    name: 'a kept discriminator is removed',
    module: 'build',
    from: 'if (isTagged && !options.keepDiscriminatorProperty)',
    to: 'if (isTagged)',
  },
  {
    name: 'the discriminator of an element stays in the input',
    module: 'build',
    from: 'if (!keepDiscriminatorProperty) delete subValue[property]',
    to: '',
  },
  {
    name: 'exposed members come first',
    module: 'build',
    from: 'if (!keys.includes(key)) keys.push(key)',
    to: 'if (!keys.includes(key)) keys.unshift(key)',
  },
  {
    name: 'accessors without a setter are written',
    module: 'build',
    from: 'if (descriptor && !descriptor.set) return true',
    to: '',
  },
  {
    name: 'defaults give way to undefined',
    module: 'build',
    from: 'if (subValue === undefined && exposeDefaultValues)',
    to: 'if (false)',
  },
  {
    name: 'the class of a list is not that of the compiler',
    module: 'build',
    from: 'const newValue = arrayType ?',
    to: 'const newValue = false ?',
  },
  {
    name: 'emitted classes are not asked for',
    module: 'build',
    from: '} else if (options.targetMaps)',
    to: '} else if (false)',
  },
  { name: 'holes become undefined', module: 'build', from: '!(index in list)', to: 'false' },
  {
    name: 'the last version is one too many',
    module: 'shapes',
    from: '!(version < until)',
    to: '!(version <= until)',
  },
  {
    name: 'names in the input are not looked up',
    module: 'shapes',
    from: 'if (property?.propertyName) fields.set(',
    to: 'if (false) fields.set(',
  },
  {
    name: 'what is said later is not heard',
    module: 'watch',
    from: 'watching.changes += 1',
    to: '',
  },
  {
    name: 'elements are asked until one fails',
    module: 'constraints',
    from: 'const results: unknown[] = elements.map(',
    to: 'let fine: unknown = true; const results: unknown[] = elements.map((element) => (fine &&= pick(element))); function pick(element: unknown): unknown { return ask(element) } const ask = (',
  },
  {
    name: 'one error is not enough',
    module: 'constraints',
    from: 'if (stopAtFirstError && hasFailed(spot)) continue',
    to: '',
  },
  {
    name: 'nested objects are checked after a first error',
    module: 'check',
    from: 'if (stopAtFirstError && hasFailed(spot)) continue',
    to: '',
  },
  {
    name: 'the condition of a rule is not asked',
    module: 'constraints',
    from: 'if (rule.validateIf && !rule.validateIf(subject.object, value)) continue',
    to: '',
  },
  {
    name: 'contexts of promises are lost',
    module: 'constraints',
    from: 'if (rule.context) addContext(error, constraint.type, rule.context as object)',
    to: '',
  },
  {
    name: 'null is never skipped',
    module: 'check',
    from: 'const skipsNull = skipNullProperties === true || skipMissingProperties === true',
    to: 'const skipsNull = false',
  },
  {
    name: 'conditions are asked until one is not met',
    module: 'check',
    from: 'met &&= answer',
    to: 'met &&= answer; if (!met) return false',
  },
  {
    name: 'a promise below keeps no place',
    module: 'check',
    from: 'if (children.length > 0 || pending.length > outstanding)',
    to: 'if (children.length > 0)',
  },
  {
    name: 'inherited names are not on the whitelist',
    module: 'check',
    from: 'if (!grouped[name] ||',
    to: 'if (!Object.hasOwn(grouped, name) ||',
  },
  { name: 'unknown objects pass', module: 'check', from: 'if (forbidsUnknown && !plan.ruled)', to: 'if (false)' },
  {
    name: 'rules of groups always apply',
    module: 'rule-plans',
    from: "'', always, strictGroups, groups)",
    to: "'', always, strictGroups)",
  },
  {
    name: 'a container is not asked',
    module: 'rule-plans',
    from: 'isPlainConstraint(fact.target) ? instanceOf(fact.target) : undefined',
    to: 'instanceOf(fact.target as never)',
  },
  {
    name: 'a name is proof of a rule',
    module: 'rule-plans',
    from: "ownRule(rule) === 'isEmail'",
    to: 'true',
  },
  {
    name: 'addresses may have numbers for a top domain',
    module: 'constraints',
    from: '[a-z]{2,}$/i',
    to: '[a-z0-9]{2,}$/i',
  },
  { name: 'addresses may be long', module: 'constraints', from: 'value.length < 65', to: 'value.length < 650' },
  {
    name: 'lists in messages are those of the first time',
    module: 'message-memo',
    from: 'if (filled.lists[index] !== undefined &&',
    to: 'if (false &&',
  },
  {
    name: 'messages keep the first value',
    module: 'message-memo',
    from: '&& !namesValue(message, args)',
    to: '',
  },
]

describe('the comparison with the libraries', () => {
  test('finds nothing where there is nothing', async () => {
    await fuzz(loadWith(undefined), { numRuns: 300 })
  })

  test.each(bugs)('finds: $name', async (bug) => {
    await expect(fuzz(loadWith(bug), { endOnFailure: true })).rejects.toThrow(/Property failed/)
  })
})
