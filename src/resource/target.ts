import { assertLegacy, ConfigurationError } from '../errors'
import { classFacts, methodFacts, type MethodFacts, type SharedFacts } from './metadata'

/** A decorator of a method. */
export type OnMethod = (target: object, name: string | symbol, descriptor?: PropertyDescriptor) => void

/** A decorator of a class or of a method. */
export type OnClassOrMethod = (target: object, name?: string | symbol, descriptor?: PropertyDescriptor) => void

/** The facts of the method that a decorator stands on. */
export function onMethod(decorator: string, target: object, name: string | symbol | undefined): MethodFacts {
  assertLegacy(decorator, name)
  if (typeof target === 'function' || name === undefined) {
    const where = typeof target === 'function' ? target.name : target.constructor.name
    throw new ConfigurationError(
      name === undefined ? where : `${where}.${String(name)}`,
      `@${decorator} stands on ${name === undefined ? 'a class' : 'a static method'}`,
      'Put it on a method of the instance',
    )
  }
  return methodFacts(target.constructor, String(name))
}

/** The facts of the class or method that a decorator stands on. */
export function onClassOrMethod(decorator: string, target: object, name: string | symbol | undefined): SharedFacts {
  assertLegacy(decorator, name)
  if (name === undefined) return classFacts(target)
  return onMethod(decorator, target, name)
}
