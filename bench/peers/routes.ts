/** What makes a controller of a framework out of a plain class. */
export interface ControllerParts {
  /** Applied to the class. */
  readonly controller: ClassDecorator
  /** Applied to each method. */
  readonly route: (path: string) => MethodDecorator
  /** Applied to the one parameter of each method. */
  readonly id: ParameterDecorator
}

/**
 * Controllers of ten routes `/route-N/:id` each, `{ id, route }` their answers: what the compiler would make of a class with
 * ten decorated methods.
 *
 * @param routes how many in all
 * @param parts the decorators of a framework
 */
export function makeControllers(routes: number, parts: ControllerParts): Array<new () => object> {
  return Array.from({ length: Math.ceil(routes / 10) }, (_, index) => makeController(index * 10, parts))
}

function makeController(first: number, { controller, route: toRoute, id }: ControllerParts): new () => object {
  const Routes = { [`Routes${first}`]: class {} }[`Routes${first}`] as new () => object
  const prototype = Routes.prototype as object
  for (let route = first; route < first + 10; route++) {
    const name = `route${route}`
    const value = function one(number: number): object {
      return { id: number, route }
    }
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
    Reflect.defineMetadata('design:type', Function, prototype, name)
    Reflect.defineMetadata('design:paramtypes', [Number], prototype, name)
    Reflect.defineMetadata('design:returntype', Object, prototype, name)
    id(prototype, name, 0)
    toRoute(`/route-${route}/:id`)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name) ?? {})
  }
  controller(Routes)
  return Routes
}
