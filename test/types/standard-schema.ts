import {
  Body,
  Cookie,
  Header,
  Param,
  Query,
  type FromType,
  type MapValue,
  type StandardSchema,
  type ValueOf,
} from 'kumu'
import * as v from 'valibot'
import { z } from 'zod'

// Every line under an `@ts-expect-error` must be refused by the compiler: where it is not, the comment is the error.

interface User {
  name: string
  age?: number | undefined
}

// It comes as ES modules alone; nothing here is ever run.
declare const arktype: typeof import('arktype', { with: { 'resolution-mode': 'import' } })
const { type } = arktype

const zodUser = z.object({ name: z.string(), age: z.coerce.number().optional() })
const valibotUser = v.object({ name: v.string(), age: v.optional(v.pipe(v.string(), v.transform(Number))) })
const arkUser = type({ name: 'string', 'age?': 'string.numeric.parse' })
const zodWhole = z.coerce.number().int()
const valibotWhole = v.pipe(v.string(), v.transform(Number))
const arkWhole = type('string.integer.parse')

/** A schema that says nothing to the compiler. */
declare const silent: StandardSchema & { readonly '~standard': { readonly types?: undefined } }

// What comes is what the schema makes of the value, and not what it takes.
export class Fits {
  zod(
    @Body(zodUser) body: User,
    @Body([zodUser]) bodies: User[],
    @Body('user', { type: zodUser }) member: User,
    @Query(zodUser) query: z.infer<typeof zodUser>,
    @Param('id', { type: zodWhole }) id: number,
    @Query('q', { type: zodWhole, required: false }) q: number | undefined,
    @Query('all', { type: zodWhole, list: true }) all: number[],
    @Header('x-n', { type: zodWhole, default: 3 }) header: number,
    @Cookie('c', zodWhole) cookie: number,
    @Query({ a: zodWhole, b: { type: [zodWhole], as: 'all' } }) map: { a: number; all: number[] },
  ) {
    return { body, bodies, member, query, id, q, all, header, cookie, map }
  }

  others(
    @Body(valibotUser) valibot: User,
    @Param('id', { type: valibotWhole }) id: number,
    @Body(arkUser) ark: User,
    @Body([arkUser]) arks: User[],
    @Query('n', { type: arkWhole }) n: number,
    @Body(silent) any: User,
    @Body('x', { type: zodUser, convert: ({ name }: User) => name.length }) length: number,
    @Body(zodUser) wide: unknown,
  ) {
    return { valibot, id, ark, arks, n, any, length, wide }
  }
}

export class Differs {
  zod(
    // @ts-expect-error -- a user is no text
    @Body(zodUser) body: string,
    // @ts-expect-error -- the age is a number
    @Body(zodUser) aged: { name: string; age?: string },
    // @ts-expect-error -- a list of them
    @Body([zodUser]) bodies: User,
    // @ts-expect-error -- a number is made of it
    @Param('id', { type: zodWhole }) id: string,
    // @ts-expect-error -- it may be absent
    @Query('q', { type: zodWhole, required: false }) q: number,
    // @ts-expect-error -- the list is bound as `all`
    @Query({ b: { type: [zodWhole], as: 'all' } }) map: { b: number[] },
  ) {
    return { body, aged, bodies, id, q, map }
  }

  others(
    // @ts-expect-error -- a user is no text
    @Body(valibotUser) valibot: string,
    // @ts-expect-error -- a number is made of it
    @Param('id', { type: valibotWhole }) id: string,
    // @ts-expect-error -- a user is no list
    @Body(arkUser) ark: User[],
    // @ts-expect-error -- a number is made of it
    @Query('n', { type: arkWhole }) n: string,
    // @ts-expect-error -- no schema: it has no version
    @Body('x', { type: { '~standard': { vendor: 'x', validate: () => ({ value: 1 }) } } }) x: number,
  ) {
    return { valibot, id, ark, n, x }
  }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

export const same: readonly true[] = [
  true satisfies Same<FromType<typeof zodWhole>, number>,
  true satisfies Same<FromType<typeof valibotWhole>, number>,
  true satisfies Same<FromType<typeof arkWhole>, number>,
  true satisfies Same<FromType<readonly [typeof zodWhole]>, number[]>,
  true satisfies Same<ValueOf<{ readonly type: typeof zodWhole; readonly nullable: true }>, number | null>,
  true satisfies Same<MapValue<{ readonly a: typeof arkWhole }>, { a: number }>,
]
