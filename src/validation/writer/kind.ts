import { types } from 'node:util'
import { readExposure, type Exposure } from '../exposure'
import { transformerIfLoaded } from '../lazy'
import { createExposurePlans, type ExposurePlan } from './exposure-plan'

/** What the instances of a class are to the writer. */
export type Kind =
  /** They have nothing but members. */
  | { readonly way: 'record' }
  /** They have members, and class-transformer's decorators say which go out. */
  | { readonly way: 'exposed'; readonly exposure: Exposure }
  | { readonly way: 'date' }
  /** Each of them has to be looked at. */
  | { readonly way: 'single' }

/** What is known of classes. */
export interface Kinds {
  kindOf(instance: object, prototype: object): Kind
  /** What the decorators of a class say, if it is one and has any. */
  exposureOf(target: unknown): Exposure | undefined
  /** What goes out of an instance of an exposed class that is no `single`. */
  planOf(instance: object, exposure: Exposure): ExposurePlan
  /** Whether what was said of a class may be wrong by now: class-transformer has been loaded since. */
  isStale(): boolean
}

const record: Kind = { way: 'record' }
const date: Kind = { way: 'date' }
const single: Kind = { way: 'single' }

/** Makes the memory of classes of one writer. */
export function createKinds(): Kinds {
  const kinds = new WeakMap<object, Kind>()
  const exposures = new WeakMap<object, Exposure | null>()
  let saidWithoutLibrary = false

  function exposureOf(target: unknown): Exposure | undefined {
    if (typeof target !== 'function' || target === Object) return undefined
    const found = exposures.get(target)
    if (found !== undefined) return found ?? undefined
    const library = transformerIfLoaded()
    if (!library) return undefined
    const exposure = readExposure(target, library.shapeStorage)
    exposures.set(target, exposure ?? null)
    return exposure
  }

  function classify(instance: object, prototype: object): Kind {
    if (prototype === Date.prototype) return date
    if (!isOrdinary(instance, prototype)) return single
    const exposure = exposureOf((prototype as { constructor?: unknown }).constructor)
    if (exposure) return { way: 'exposed', exposure }
    saidWithoutLibrary ||= !transformerIfLoaded()
    return record
  }

  function kindOf(instance: object, prototype: object): Kind {
    let kind = kinds.get(prototype)
    if (!kind) kinds.set(prototype, (kind = classify(instance, prototype)))
    return kind
  }

  return {
    kindOf,
    exposureOf,
    planOf: createExposurePlans(),
    isStale: () => saidWithoutLibrary && transformerIfLoaded() !== undefined,
  }
}

/**
 * Whether the instances of a class are like any object: the engine's and the platform's own classes have none of their
 * prototypes above it, and their objects have no other face than members.
 */
function isOrdinary(instance: object, prototype: object): boolean {
  if (isPlatformObject(instance) || types.isProxy(instance)) return false
  for (let each: object | null = prototype; each; each = Object.getPrototypeOf(each) as object | null) {
    if (Object.keys(each).length > 0) return false
    if (isRootPrototype(each)) continue
    const constructor = Object.getOwnPropertyDescriptor(each, 'constructor')?.value as unknown
    if (typeof constructor !== 'function' || isNative(constructor)) return false
  }
  return true
}

/** Whether it is the end of the chain, in this realm or another. */
function isRootPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

function isNative(constructor: object): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(constructor))
}

/** Whether an object is one that the writer shows otherwise than by its members. */
export function isPlatformObject(value: object): boolean {
  return (
    types.isDate(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isSet(value) ||
    types.isMap(value) ||
    isTextObject(value)
  )
}

/** Whether an object goes out as a text of its own, or as name and message. */
export function isTextObject(value: object): boolean {
  return (
    types.isNativeError(value) ||
    value instanceof Error ||
    value instanceof URL ||
    value instanceof URLSearchParams ||
    types.isRegExp(value) ||
    types.isBoxedPrimitive(value)
  )
}
