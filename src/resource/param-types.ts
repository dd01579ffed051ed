import type { Integer, ParamType, StandardSchema } from '../route/plan'
import type { ParamOptions } from './metadata'

/**
 * What a decorator gives where only the declared type can tell: it is read at run time, so nothing is compared here.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one type that every declared type takes
export type Unchecked = any

/** The declared type of a parameter; unknown where the method is private. */
type Declared<Target, Name, Index extends number> = Name extends keyof Target
  ? Target[Name] extends (...args: infer Parameters) => unknown
    ? Parameters[Index]
    : unknown
  : unknown

/** The decorator gives a value of one type, and the parameter is declared with another. */
export interface Mismatch<Given, DeclaredType> {
  readonly given: Given
  readonly declared: DeclaredType
}

/** Whether a parameter is declared for this value, or as an object that takes it, with others, under its name. */
type Fits<Value, As extends string, Type> = [Value] extends [Type]
  ? true
  : [As] extends [never]
    ? false
    : // A text has members too, its length say: only an object is made of several values.
      Type extends object & Readonly<Record<As, infer Member>>
      ? [Value] extends [Member]
        ? true
        : false
      : false

/**
 * A decorator of a method's parameter that takes a `Value`: the compiler refuses a parameter declared otherwise. `As` is
 * the name of the value where several are bound to one parameter.
 */
export type OnParameter<Value, As extends string = never> = <
  Target extends object,
  Name extends string | symbol | undefined,
  Index extends number,
>(
  target: Target,
  name: Name,
  index: Fits<Value, As, Declared<Target, Name, Index>> extends true
    ? Index
    : Mismatch<Value, Declared<Target, Name, Index>>,
) => void

/** What a schema makes of a value; schemas that do not tell the compiler are not compared. */
type OutputOf<T extends StandardSchema> = T['~standard'] extends { readonly types?: infer Types }
  ? [NonNullable<Types>] extends [never]
    ? Unchecked
    : NonNullable<Types> extends { readonly output: infer Output }
      ? Output
      : Unchecked
  : Unchecked

/** The type behind what `type` takes. */
export type FromType<T> = ParamType extends T
  ? Unchecked
  : T extends StandardSchema
    ? OutputOf<T>
    : T extends StringConstructor
      ? string
      : T extends NumberConstructor | typeof Integer
        ? number
        : T extends BooleanConstructor
          ? boolean
          : T extends DateConstructor
            ? Date
            : T extends ObjectConstructor
              ? Unchecked
              : T extends readonly (infer Element)[]
                ? FromType<Element>[]
                : T extends abstract new (...args: never) => infer Instance
                  ? unknown extends Instance
                    ? Unchecked
                    : Instance
                  : T extends () => infer Later
                    ? FromType<Later>
                    : Unchecked

type Listed<O, T> = O extends { readonly list: true | number | '+' | '*' } ? T[] : T

/** What an optional value without default, and a nullable one, may be besides. */
type Besides<O> =
  | (O extends { readonly required: false } ? (O extends { readonly default: unknown } ? never : undefined) : never)
  | (O extends { readonly nullable: true } ? null : never)

/** What a parameter with these options, or of this type, gets. */
export type ValueOf<O> = O extends ParamType
  ? FromType<O>
  : O extends { readonly pipes: unknown }
    ? Unchecked
    : O extends { readonly convert: (...args: never) => infer Converted }
      ? Awaited<Converted> | Besides<O>
      : O extends { readonly type: infer T }
        ? Listed<O, FromType<T>> | Besides<O>
        : Unchecked

/** The name that a named value has among several. */
export type AsOf<O, Name extends string> = O extends { readonly as: infer As extends string } ? As : Name

/** The object that several named values make. */
export type MapValue<M> = {
  -readonly [Name in keyof M as M[Name] extends { readonly as: infer As extends string } ? As : Name]: ValueOf<M[Name]>
}

/** Refuses options that do not exist: a generic parameter alone would let them pass. */
export type Known<O> = O extends ParamType ? unknown : Readonly<Record<Exclude<keyof O, keyof ParamOptions>, never>>
