import { App, type AppOptions } from '../app'

/** What applications were made of. */
export interface Recorder {
  /** The options of an application; nothing where it is another copy's. */
  of(app: object): AppOptions | undefined
  /** The options that were given last, whether or not they made an application. */
  last(): AppOptions | undefined
}

type Parent = new (options: AppOptions) => object

/**
 * Records from now on what the applications of this process are made of: one that does not come about leaves nothing else
 * to ask what else is wrong with it.
 */
export function recordApps(): Recorder {
  const known = new WeakMap<object, AppOptions>()
  let last: AppOptions | undefined
  const Koa = Object.getPrototypeOf(App) as Parent
  class Recording extends Koa {
    constructor(options: AppOptions) {
      last = options
      super(options)
      known.set(this, options)
    }
  }
  // `super` is looked up at each call: this stands between the application and Koa, and changes neither.
  Object.setPrototypeOf(App, Recording)
  return { of: (app) => known.get(app), last: () => last }
}
