import { ConfigurationError } from '../errors'
import { isAnyBody } from './any-body'
import { refuseForeignCopies, type LoadedModules } from './copies'
import { reachable, type ClassModel, type Models, type PropertyModel } from './model'

/**
 * Finds at start what would make the validation of a class fail or be empty, in it and in all that it holds.
 *
 * @param root the class of a parameter
 * @param where the parameter: `Employees.create, parameter 0`
 * @param loaded what the process has loaded; default `require.cache`
 * @throws ConfigurationError naming class and property, and the cure
 */
export function inspectClass(root: ClassModel, models: Models, where: string, loaded?: LoadedModules): void {
  const nestedClasses = new Set<ClassModel>([root])
  for (const model of reachable(root, models)) {
    if (isAnyBody(model.class)) continue
    refuseForeignCopies(where, model.class, loaded)
    for (const property of model.byName.values()) {
      inspectProperty(model, property, models, where)
      if (property.nested) for (const nested of elementModels(property, models)) nestedClasses.add(nested)
    }
  }
  for (const model of nestedClasses) {
    if (model.ruled || isAnyBody(model.class)) continue
    throw new ConfigurationError(
      where,
      `the class ${model.class.name} has no validation rules that apply here`,
      'Decorate its properties with class-validator, or the class with @AnyBody() where any value will do',
    )
  }
}

function inspectProperty(model: ClassModel, property: PropertyModel, models: Models, where: string): void {
  const at = `${model.class.name}.${property.name}`
  const { nested, element, container } = property
  if (property.name in Object.prototype) {
    throw new ConfigurationError(
      where,
      `${at} has a name that every object has, which class-validator cannot group rules by`,
      `Rename the property, and keep its name in requests by @Expose({ name: '${property.name}' })`,
    )
  }
  if (nested && !element) {
    throw new ConfigurationError(
      where,
      `${at} has @ValidateNested and no class to validate by`,
      `Add @Type(() => ItsClass)${container === 'one' ? '' : ', the class of one element,'} to ${at}`,
    )
  }
  if (element?.kind !== 'union') return
  if (container === 'map') {
    throw new ConfigurationError(
      where,
      `${at} is a Map with a discriminator, which class-transformer does not support`,
      `Declare ${at} as a list`,
    )
  }
  if (element.kept) return
  for (const nestedModel of elementModels(property, models)) {
    const tag = nestedModel.byInput.get(element.property)
    if (!tag || tag.optional || tag.rules.length === 0) continue
    throw new ConfigurationError(
      where,
      `${at} removes the discriminator that ${nestedModel.class.name}.${tag.name} requires`,
      `Add keepDiscriminatorProperty: true to the options of @Type on ${at}`,
    )
  }
}

function elementModels({ element }: PropertyModel, models: Models): ClassModel[] {
  if (element?.kind === 'class') return [models(element.class)]
  return element?.kind === 'union' ? [...element.classes.values()].map(models) : []
}
