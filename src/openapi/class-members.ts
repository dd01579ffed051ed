import { designType } from '../resource/metadata'
import type { Constructor } from '../types'
import { readExposure } from '../validation/exposure'
import { transformer, validator } from '../validation/lazy'
import { createModels, type DesignType, type Models, type PropertyModel } from '../validation/model'
import { scalarOf } from '../validation/scalars'

/** Which way a value goes: into the application, out of it, or into it as a part that changes another. */
export type Direction = 'input' | 'output' | 'patch'

/** One member of an object, as its class declares it. */
export interface Member {
  /** Its name on the class. */
  readonly property: string
  /** Its name in JSON. */
  readonly name: string
  /** What the class says of its value; nothing where a `@Transform` or a getter makes it. */
  readonly model?: PropertyModel
  /** The type that the compiler emitted, where that is all there is. */
  readonly emitted?: ReturnType<DesignType>
  readonly required: boolean
  /** What it is where it is left out. */
  readonly initial?: unknown
}

/** Reads what classes declare; their models are made once. */
export function createMembers(): (Class: Constructor, direction: Direction) => readonly Member[] {
  const models = createModels(designType)
  return (Class, direction) => (direction === 'output' ? outputOf(Class, models) : inputOf(Class, models))
}

function inputOf(Class: Constructor, models: Models): readonly Member[] {
  const initial = initialOf(Class)
  return [...models(Class).byInput.values()].map((model) => {
    const value = initial[model.name]
    return {
      property: model.name,
      name: model.input,
      model,
      required: value === undefined && isRequired(model),
      initial: value,
    }
  })
}

/** Rules that `undefined` passes, so that the property may be absent. */
const passedByNothing = new Set(['isEmpty', 'notEquals', 'isNotIn'])

function isRequired({ optional, conditional, nested, rules }: PropertyModel): boolean {
  if (optional || conditional) return false
  if (nested) return true
  return rules.some(({ type, name = '' }) => {
    return type !== 'conditionalValidation' && type !== 'whitelistValidation' && !passedByNothing.has(name)
  })
}

/** What an instance holds before anything is assigned to it. */
function initialOf(Class: Constructor): Readonly<Record<string, unknown>> {
  try {
    return new Class() as Record<string, unknown>
  } catch {
    return {}
  }
}

function outputOf(Class: Constructor, models: Models): readonly Member[] {
  const { byName } = models(Class)
  const ruled = validator()
    .rulesOf(Class)
    .map((rule) => rule.propertyName)
  const instance = Object.fromEntries([...new Set([...ruled, ...byName.keys()])].map((name) => [name, undefined]))
  const exposure = readExposure(Class, transformer().shapeStorage)
  const exposed = exposure?.properties(instance) ?? Object.keys(instance).map((name) => ({ name, output: name }))
  return exposed.map((property) => {
    const { name, output } = property
    const changed = 'transforms' in property && property.transforms.length > 0
    const model = byName.get(name)
    const emitted = designType(Class.prototype as object, name)
    if (changed) return { property: name, name: output, required: false }
    return { property: name, name: output, model, emitted, required: model !== undefined && isRequired(model) }
  })
}

/** The scalar that a type of the compiler's stands for. */
export function scalarOfEmitted(emitted: unknown): ReturnType<typeof scalarOf> {
  return scalarOf(undefined, emitted, [])
}
