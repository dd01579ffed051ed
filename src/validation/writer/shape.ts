import { types } from 'node:util'
import type { ExposedProperty } from '../exposure'
import type { Kinds } from './kind'
import { hasToJSON } from './plain-json'
import { isVerbatim } from './text'

/** What values at one position of a route's replies have in common. */
export type Shape = ScalarShape | ListShape | RecordShape

export interface ScalarShape {
  /**
   * `any`: they have nothing in common; `unknown`: there was none; `escaped`: strings that JSON writes with escapes;
   * `fraction`: numbers that are no integers; `deep`: what was not looked at.
   */
  readonly way: 'any' | 'unknown' | 'deep' | 'string' | 'escaped' | 'number' | 'fraction' | 'boolean'
}

export interface ListShape {
  readonly way: 'list'
  readonly element: Shape
}

export interface RecordShape {
  readonly way: 'record'
  readonly prototype: object
  /** The own names, in their order. */
  readonly names: readonly string[]
  /** Of each name whether an object may be without. */
  readonly optional: readonly boolean[]
  /** What goes out, in its order. */
  readonly members: readonly MemberShape[]
}

export interface MemberShape {
  readonly name: string
  readonly output: string
  readonly shape: Shape
  /** What class-transformer's decorators say of it; none: nothing. */
  readonly property?: ExposedProperty
}

type Fields = Record<string, unknown>

const any: Shape = { way: 'any' }
const unknown: Shape = { way: 'unknown' }
const deep: Shape = { way: 'deep' }

// Of a list that many elements are looked at, of one shape that many members are told apart.
const mostSamples = 16
const mostNames = 64
const mostMembers = 200
const deepest = 8

/**
 * Finds out what a reply looks like; a guess for the ones to come, whose writer checks every value.
 *
 * No accessor, method or transform is called.
 */
export function shapeOf(value: unknown, kinds: Kinds): Shape {
  let room = mostMembers

  function learn(values: readonly unknown[], depth: number): Shape {
    const samples = values.filter((each) => each !== null && each !== undefined)
    if (samples.length === 0) return unknown
    if (depth > deepest || room <= 0) return deep
    if (samples.every(Array.isArray)) return learnList(samples as unknown[][], depth)
    const way = typeof samples[0]
    if (samples.some((each) => typeof each !== way)) return any
    if (way === 'string') return { way: areMostly(samples, isVerbatim) ? 'string' : 'escaped' }
    if (way === 'number') return { way: areMostly(samples, Number.isInteger) ? 'number' : 'fraction' }
    if (way === 'boolean') return { way }
    return way === 'object' && !samples.some(types.isProxy) ? learnObject(samples as Fields[], depth) : any
  }

  function learnList(lists: readonly unknown[][], depth: number): ListShape {
    const elements = lists.filter((list) => list.length > 0).flatMap((list) => spread(list, mostSamples / lists.length))
    return { way: 'list', element: learn(elements.slice(0, mostSamples), depth + 1) }
  }

  function learnObject(samples: readonly Fields[], depth: number): Shape {
    const prototype = Object.getPrototypeOf(samples[0]) as object | null
    if (prototype === null || samples.some((each) => Object.getPrototypeOf(each) !== prototype)) return any
    const kind = prototype === Object.prototype ? undefined : kinds.kindOf(samples[0]!, prototype)
    if (kind?.way === 'exposed') {
      const { names, properties, isOrderly } = kinds.planOf(samples[0]!, kind.exposure)
      if (!isOrderly || names.length > mostNames || properties.length === 0) return any
      const alike = samples.filter((each) => Object.keys(each).join() === names.join())
      return toRecord(prototype, names, undefined, properties, alike, depth)
    }
    if ((kind && kind.way !== 'record') || samples.some(hasToJSON)) return any
    const common = kind ? undefined : commonNames(samples)
    const names = common ?? Object.keys(samples[0]!)
    const optional = common?.map((name) => samples.some((each) => !Object.hasOwn(each, name)))
    if (names.length === 0 || names.length > mostNames || optional?.every(Boolean)) return any
    const members = names.map((name) => ({ name, output: name }))
    return toRecord(prototype, names, optional, members, samples, depth)
  }

  function toRecord(
    prototype: object,
    names: readonly string[],
    optional: readonly boolean[] | undefined,
    properties: readonly (ExposedProperty | { readonly name: string; readonly output: string })[],
    samples: readonly Fields[],
    depth: number,
  ): Shape {
    room -= properties.length
    const members = properties.map((property): MemberShape => {
      const { name, output } = property
      const isMade = 'transforms' in property && property.transforms.length > 0
      const values = samples.map((each) => Object.getOwnPropertyDescriptor(each, name)?.value as unknown)
      const shape = isMade ? any : learn(values, depth + 1)
      return 'transforms' in property ? { name, output, shape, property } : { name, output, shape }
    })
    return { way: 'record', prototype, names, optional: optional ?? names.map(() => false), members }
  }

  return learn([value], 0)
}

/** The names of all samples in an order that holds for each of them, if there is one. */
function commonNames(samples: readonly Fields[]): readonly string[] | undefined {
  const names: string[] = []
  for (const sample of samples) {
    let at = 0
    for (const name of Object.keys(sample)) {
      const found = names.indexOf(name)
      if (found < 0) names.splice(at++, 0, name)
      else at = found + 1
    }
  }
  // What every object inherits would be read where an object has no member of that name.
  if (names.some((name) => name in Object.prototype)) return undefined
  return samples.every((sample) => isWithin(Object.keys(sample), names)) ? names : undefined
}

function isWithin(names: readonly string[], all: readonly string[]): boolean {
  let at = 0
  for (const name of names) {
    at = all.indexOf(name, at) + 1
    if (at === 0) return false
  }
  return true
}

function areMostly(samples: readonly unknown[], test: (sample: never) => boolean): boolean {
  return samples.filter((sample) => test(sample as never)).length * 2 > samples.length
}

/** Elements from all over a list. */
function spread(list: readonly unknown[], most: number): unknown[] {
  const count = Math.min(list.length, Math.max(1, Math.floor(most)))
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)])
}

/**
 * Whether code of its own writes plain data of this shape faster than `JSON.stringify`: not where fractions and escapes
 * make the most of it, nor a tree, nor without any object.
 */
export function isWorthCode(shape: Shape): boolean {
  let slow = 0
  let members = 0
  function count(each: Shape): void {
    if (each.way === 'list') count(each.element)
    else if (each.way === 'record') {
      members += each.members.length
      for (const member of each.members) count(member.shape)
    } else if (each.way === 'fraction' || each.way === 'escaped') slow++
    else if (each.way === 'deep') slow = Infinity
  }
  count(shape)
  return members > 0 && slow * 4 <= members
}
