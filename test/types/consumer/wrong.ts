import {
  Body,
  created,
  createApp,
  Get,
  HttpError,
  Integer,
  Page,
  type PageRequest,
  Param,
  Query,
  reply,
  Resource,
  Signal,
  type StandardSchema,
} from 'kumu'
import { docstore } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'

// Every line under an `@ts-expect-error` must be refused by the compiler: where it is not, the comment is the error.

// @ts-expect-error -- a resource needs a path
@Resource()
export class WithoutPath {}

@Resource('/wrong')
export class Wrong {
  // @ts-expect-error -- a path is text
  @Get(42)
  number() {
    return 1
  }

  @Get('/:id')
  parameters(
    // @ts-expect-error -- a path parameter has a name
    @Param() nameless: string,
    // @ts-expect-error -- there is no type of that name
    @Param('id', { type: 'integer' }) typed: number,
    // @ts-expect-error -- there is no such option
    @Query('q', { optional: true }) query: string,
    // @ts-expect-error -- a class or a name, not a number
    @Body(7) body: object,
    @Query('n', { type: Integer, min: 1, max: 9 }) right: number,
  ) {
    return { nameless, typed, query, body, right }
  }
}

// @ts-expect-error -- a decorator of methods is none of classes
@Get('/')
export class NotAMethod {}

export function calls(): unknown[] {
  return [
    // @ts-expect-error -- resources are a list
    createApp({ resources: WithoutPath }),
    // @ts-expect-error -- there is no such option
    createApp({ resource: [Wrong] }),
    // @ts-expect-error -- a status is a number
    new HttpError('404'),
    // @ts-expect-error -- the options have no such member
    new HttpError(404, 'gone', { status: 410 }),
    // @ts-expect-error -- what was created has an address
    created({ id: 1 }),
    // @ts-expect-error -- the status comes first
    reply({ id: 1 }, 207),
    // @ts-expect-error -- a store stands on a driver
    docstore('memory'),
    // @ts-expect-error -- a driver is made by calling it
    docstore(memory),
  ]
}

declare const textSchema: StandardSchema<string>

// What a decorator gives has to fit the declared type of its parameter.
export class Declared {
  fits(
    @Param('id', Integer) id: number,
    @Query('tag', { type: String, list: true }) tags: string[],
    @Query('q', { type: String, required: false }) q: string | undefined,
    @Query('on', { type: Boolean, default: false }) on: boolean,
    @Query('since', Date) since: Date,
    @Query('length', { convert: (text: string) => text.length }) length: number,
    @Query({ name: String, alias: { type: [String], default: [], as: 'otherNames' } })
    fruit: { name: string; otherNames: string[] },
    @Query('a', Integer) @Query('b', { type: String, as: 'c' }) both: { a: number; c: string },
    @Body([Wrong]) wrongs: Wrong[],
    @Page() page: PageRequest,
    @Signal() signal: AbortSignal,
    @Param('any') any: Wrong,
    @Body(textSchema) text: string,
    @Query('texts', { type: textSchema, list: true }) texts: string[],
  ) {
    return { id, tags, q, on, since, length, fruit, both, wrongs, page, signal, any, text, texts }
  }

  differs(
    // @ts-expect-error -- a whole number is no text
    @Param('id', Integer) id: string,
    // @ts-expect-error -- a list is no text
    @Query('tag', { type: String, list: true }) tags: string,
    // @ts-expect-error -- it may be absent
    @Query('q', { type: String, required: false }) q: string,
    // @ts-expect-error -- what the converter returns is what comes
    @Query('length', { convert: (text: string) => text.length }) length: string,
    // @ts-expect-error -- the list is bound as otherNames
    @Query({ alias: { type: [String], as: 'otherNames' } }) fruit: { alias: string[] },
    // @ts-expect-error -- a whole number under that name
    @Query('a', Integer) @Query('b') both: { a: string; b: string },
    // @ts-expect-error -- a list of them
    @Body([Wrong]) wrongs: Wrong,
    // @ts-expect-error -- a signal is no controller
    @Signal() signal: AbortController,
    // @ts-expect-error -- what the schema makes of it is a text
    @Body(textSchema) text: number,
    // @ts-expect-error -- a schema says what it is and how it validates
    @Body('x', { type: { '~standard': { version: 2 } } }) x: string,
  ) {
    return { id, tags, q, length, fruit, both, wrongs, signal, text, x }
  }
}
