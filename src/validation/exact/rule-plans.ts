import { validator } from '../lazy'
import type { Constraint, Rule, ValidatorOptions } from '../validator'
import { isPlainConstraint, ownRule } from './own-rules'
import { createMessageMemo, type MessageMemo } from './message-memo'

/** What a constraint does, whoever made it. */
export type ConstraintInstance = Constraint['instance']

/** One constraint behind a rule. */
export interface PlannedConstraint {
  readonly fact: Constraint
  /** Its one instance; nothing for a class of an application, which its container gives for each call. */
  readonly instance: ConstraintInstance | undefined
  /** The name of what it finds. */
  readonly type: string
  /** Whether it is class-validator's own rule for e-mail addresses. */
  readonly isEmail: boolean
}

/** A rule with its constraints. */
export interface PlannedRule {
  readonly rule: Rule
  readonly constraints: readonly PlannedConstraint[]
  /** The name under which its context is told. */
  readonly contextType: string
  readonly fillMessage: MessageMemo
}

/** What is checked of one property, in class-validator's order. */
export interface PropertyPlan {
  readonly name: string
  readonly conditions: readonly Rule[]
  /** `@IsDefined()`: checked whatever is skipped. */
  readonly defined: readonly PlannedRule[]
  readonly custom: readonly PlannedRule[]
  readonly nested: readonly PlannedRule[]
  readonly definedContexts: readonly PlannedRule[]
  readonly contexts: readonly PlannedRule[]
}

/** What is checked of the instances of one class. */
export interface RulePlan {
  readonly properties: readonly PropertyPlan[]
  /** Whether the class has any rule that applies. */
  readonly ruled: boolean
  /** Rules by property, on an object as class-validator asks it: inherited names are on it too. */
  readonly grouped: Readonly<Record<string, readonly Rule[]>>
}

const instances = new WeakMap<object, ConstraintInstance>()

/**
 * Plans what is checked of the instances of a class.
 *
 * @returns nothing where only class-validator can do it: a promise that is validated once it settles
 */
export function planRules(target: object, options: ValidatorOptions): RulePlan | undefined {
  const { ruleStorage } = validator()
  const { always = false, strictGroups = false, groups } = options
  const rules = ruleStorage.getTargetValidationMetadatas(target as never, '', always, strictGroups, groups)
  const grouped = ruleStorage.groupByPropertyName(rules)
  if (rules.some(({ type }) => type === 'promiseValidation')) return undefined
  return {
    ruled: rules.length > 0,
    grouped,
    properties: Object.keys(grouped).map((name) => planProperty(name, grouped[name]!)),
  }
}

function planProperty(name: string, rules: readonly Rule[]): PropertyPlan {
  const defined = rules.filter(({ type }) => type === 'isDefined').map(planRule)
  const others = rules.filter(({ type }) => type !== 'isDefined' && type !== 'whitelistValidation').map(planRule)
  const ofType = (type: string): PlannedRule[] => others.filter(({ rule }) => rule.type === type)
  return {
    name,
    conditions: ofType('conditionalValidation').map(({ rule }) => rule),
    defined,
    custom: ofType('customValidation'),
    nested: ofType('nestedValidation'),
    definedContexts: defined.filter(({ rule }) => Boolean(rule.context)),
    contexts: others.filter(({ rule }) => Boolean(rule.context)),
  }
}

function planRule(rule: Rule): PlannedRule {
  const constraints = validator()
    .constraintsOf(rule)
    .map((fact) => planConstraint(fact, rule))
  const contextType = rule.type === 'customValidation' ? constraints[0]?.type : undefined
  return { rule, constraints, contextType: contextType ?? rule.type, fillMessage: createMessageMemo(rule) }
}

function planConstraint(fact: Constraint, rule: Rule): PlannedConstraint {
  return {
    fact,
    instance: isPlainConstraint(fact.target) ? instanceOf(fact.target) : undefined,
    type: fact.name || rule.type,
    isEmail: fact.name === 'isEmail' && ownRule(rule) === 'isEmail',
  }
}

function instanceOf(constraintClass: new () => object): ConstraintInstance {
  const known = instances.get(constraintClass)
  if (known) return known
  const instance = new constraintClass() as ConstraintInstance
  instances.set(constraintClass, instance)
  return instance
}
