import type { Constructor } from '../../types'
import { validator } from '../lazy'
import type { ClassModel, Models, PropertyModel } from '../model'
import { below } from '../pointer'
import { planChecks, type Check } from './checks'
import { isPlainlyBuilt, isPlainlyTaken, isPlainTag, keepsUndeclared, sampleOf, type Sample } from './provable'

/** What is done with one member of an object. */
export interface MemberPlan {
  readonly property: PropertyModel
  /** Its name in sentences. */
  readonly label: string
  /** Its place below that of its object. */
  readonly pointer: string
  readonly list: boolean
  /** How a value, or each element of a list, is taken. */
  readonly kind: 'free' | 'scalar' | 'date' | 'class' | 'union'
  /** What happens to `null`: it passes unchecked, is refused, or its rules decide. */
  readonly onNull: 'pass' | 'refuse' | 'check'
  /** In the order of class-validator. */
  readonly checks: readonly Check[]
  /** Whether it must be there although no rule says so: an object or list of a class. */
  readonly required: boolean
  /** Whether a rule of it looks at instances: plain data does not show what it says. */
  readonly vague: boolean
  /** The class of a value that is no union. */
  readonly element?: ClassPlan
  readonly union?: UnionPlan
}

/** What is done with a value whose class a member of it names. */
export interface UnionPlan {
  readonly tag: string
  readonly classes: ReadonlyMap<unknown, ClassPlan>
}

/** The member that names the class of a union, where the class itself does not declare it. */
export interface TagPlan {
  readonly name: string
  readonly kept: boolean
}

/** How an object becomes a checked instance: nothing is in it that is not proven to be done as the libraries do it. */
export interface ClassPlan {
  /** Its place among the plans that are carried out together. */
  readonly id: number
  readonly class: Constructor
  /** In the order of the model. */
  readonly members: readonly MemberPlan[]
  readonly byInput: ReadonlyMap<string, MemberPlan>
  /** Those that hold objects of classes. */
  readonly nested: readonly MemberPlan[]
  /** Those with rules, in the order of class-validator. */
  readonly ruled: readonly MemberPlan[]
  readonly tag: TagPlan | undefined
  /** Whether an instance that was given all members has no other own property. */
  readonly bare: boolean
}

/** A class and all that it holds. */
export interface Plan {
  readonly root: ClassPlan
  readonly classes: readonly ClassPlan[]
  /** Whether undeclared members are left out in silence. */
  readonly strip: boolean
}

/** What plans of one application are made with. */
export interface PlanSettings {
  readonly models: Models
  readonly groups: readonly string[] | undefined
  readonly strip: boolean
  readonly acceptNull: boolean
}

/**
 * Analyses a class and the classes below it.
 *
 * @returns nothing where not everything is proven: rules that are not class-validator's own, conditions of an author's,
 * transforms, accessors, sets and maps, whatever is asked of class-transformer that is not in the plan
 */
export function planClass(target: Constructor, settings: PlanSettings): Plan | undefined {
  const classes: ClassPlan[] = []
  const known = new Map<string, ClassPlan>()
  const numbers = new Map<Constructor, number>()

  function plan(type: Constructor, tag?: TagPlan): ClassPlan {
    if (!numbers.has(type)) numbers.set(type, numbers.size)
    const key = JSON.stringify([numbers.get(type), tag])
    const found = known.get(key)
    if (found) return found
    const model = settings.models(type)
    const sample = sampleOf(model)
    if (!sample || !isPlainlyBuilt(model, sample)) throw unproven
    // A tag that the class declares is one of its members; one that is taken away before is no member of anything.
    const declared = tag && model.byInput.has(tag.name)
    if (tag && (declared ? !tag.kept : !isPlainTag(type, tag.name, sample))) throw unproven
    const members: MemberPlan[] = []
    const byInput = new Map<string, MemberPlan>()
    const nested: MemberPlan[] = []
    const ruled: MemberPlan[] = []
    const made: ClassPlan = {
      id: classes.length,
      class: type,
      members,
      byInput,
      nested,
      ruled,
      tag: declared ? undefined : tag && { name: tag.name, kept: tag.kept && keepsUndeclared(type) },
      bare: isBare(model, sample),
    }
    known.set(key, made)
    classes.push(made)
    for (const property of model.byName.values()) {
      const member = planMember(type, property, settings, plan)
      members.push(member)
      byInput.set(property.input, member)
      if (property.element) nested.push(member)
    }
    for (const name of ruleOrder(model, settings.groups)) {
      const member = members.find(({ property }) => property.name === name)
      // Rules on what no input can hold would run on defaults alone.
      if (!member) throw unproven
      ruled.push(member)
    }
    return made
  }

  try {
    return { root: plan(target), classes, strip: settings.strip }
  } catch (error) {
    if (error === unproven) return undefined
    throw error
  }
}

// They ask no more of an object or a list than that it is one, and how long.
const shapeRules = new Set([
  'isArray',
  'arrayNotEmpty',
  'arrayMinSize',
  'arrayMaxSize',
  'isDefined',
  'isNotEmpty',
  'isObject',
])

const unproven = new Error('not provable')

function planMember(
  type: Constructor,
  property: PropertyModel,
  { acceptNull }: PlanSettings,
  plan: (type: Constructor, tag?: TagPlan) => ClassPlan,
): MemberPlan {
  const { container, optional, nested, element, scalar, typed } = property
  const checks = planChecks(property, type)
  if (!checks || !isPlainlyTaken(type, property)) throw unproven
  return {
    property,
    label: property.input,
    pointer: below('', property.input),
    list: container === 'list',
    kind: element?.kind === 'class' || element?.kind === 'union' ? element.kind : kindOf(scalar, typed),
    onNull: nullRule(property, acceptNull),
    checks,
    required: nested && !optional,
    vague: nested && !checks.every(({ code }) => shapeRules.has(code)),
    element: element?.kind === 'class' ? plan(element.class) : undefined,
    union: element?.kind === 'union' ? planUnion(element, plan) : undefined,
  }
}

function planUnion(
  { property, classes, kept }: Extract<PropertyModel['element'], { kind: 'union' }>,
  plan: (type: Constructor, tag: TagPlan) => ClassPlan,
): UnionPlan {
  const plans = new Map<unknown, ClassPlan>()
  for (const [name, type] of classes) {
    if (typeof name !== 'string') throw unproven
    plans.set(name, plan(type, { name: property, kept }))
  }
  return { tag: property, classes: plans }
}

function kindOf(scalar: PropertyModel['scalar'], typed: boolean): MemberPlan['kind'] {
  if (scalar === 'date') return 'date'
  return typed ? 'scalar' : 'free'
}

function nullRule({ nullable, optional, nested }: PropertyModel, acceptNull: boolean): MemberPlan['onNull'] {
  if (nullable || (optional && acceptNull)) return 'pass'
  return optional || nested ? 'refuse' : 'check'
}

/** The order in which class-validator visits properties, names like whole numbers first. */
function ruleOrder(model: ClassModel, groups: readonly string[] | undefined): string[] {
  const names: Record<string, true> = {}
  const rules = validator().rulesOf(model.class, groups)
  for (const { propertyName } of rules) names[propertyName] = true
  const known = [...model.byName.values()].reduce((sum, property) => sum + property.rules.length, 0)
  // Rules were added since the model was made: the sieve goes by the model, class-validator by what there is now.
  if (rules.length !== known) throw unproven
  return Object.keys(names)
}

function isBare(model: ClassModel, sample: Sample): boolean {
  return Object.keys(sample.instance).every((name) => model.byName.has(name))
}
