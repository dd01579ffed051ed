import type { HeaderMap } from '../types'

/** An answer with its status and headers spelled out. Made by {@link reply} and its kin; written by the reply step. */
export class Reply<T = unknown> {
  constructor(
    readonly status: number,
    readonly body?: T,
    readonly headers?: HeaderMap,
  ) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`A reply takes a status from 200 to 599, not ${String(status)}`)
    }
  }
}

/** A part of an ordered set, and how large the whole is where that is known. */
export class Slice<T = unknown> {
  constructor(
    readonly items: Iterable<T> | AsyncIterable<T>,
    readonly total?: number,
    readonly next?: string,
  ) {}
}

/** A value with the revision that its entity tag comes from. */
export class Tagged<T = unknown> {
  constructor(
    readonly value: T,
    readonly rev: string,
    readonly modified?: Date,
  ) {}
}

/** A file of the server's disk as an answer. */
export class FileReply {
  constructor(
    readonly path: string,
    readonly options: { readonly type?: string; readonly filename?: string } = {},
  ) {}
}

/**
 * An answer with this status, body and headers.
 *
 * @param status 200 to 599
 * @param body negotiated like any handler's value; none: an empty answer
 * @param headers set on the answer
 * @throws RangeError where the status is none of an answer
 *
 * @example
 * return reply(207, results, { 'Cache-Control': 'no-store' })
 */
export function reply<T>(status: number, body?: T, headers?: HeaderMap): Reply<T> {
  return new Reply(status, body, headers)
}

/**
 * 201 with the new resource and its address (RFC 9110 §15.3.2).
 *
 * @param body a representation of what was created
 * @param location its URI reference
 *
 * @example
 * return created(employee, `/employees/${employee.id}`)
 */
export function created<T>(body: T, location: string): Reply<T> {
  return new Reply(201, body, { Location: location })
}

/**
 * 202: taken on, not finished (RFC 9110 §15.3.3).
 *
 * @param body what there is to say so far
 * @param monitor where the state of the work can be asked, with the seconds to wait before it is (default 1)
 *
 * @example
 * return accepted({ state: 'queued' }, { location: '/jobs/7', retryAfter: 5 })
 */
export function accepted<T>(
  body?: T,
  monitor?: string | { readonly location: string; readonly retryAfter?: number },
): Reply<T> {
  if (monitor === undefined) return new Reply(202, body)
  const { location, retryAfter = 1 } = typeof monitor === 'string' ? { location: monitor } : monitor
  return new Reply(202, body, { Location: location, 'Retry-After': String(retryAfter) })
}

/** 204: done, nothing to say (RFC 9110 §15.3.5). */
export function noContent(headers?: HeaderMap): Reply<undefined> {
  return new Reply<undefined>(204, undefined, headers)
}

/**
 * 303: the answer is elsewhere, to be fetched with GET (RFC 9110 §15.4.4).
 *
 * @param url a URI reference of the application's own making: never a client's unchecked value
 */
export function seeOther(url: string): Reply<undefined> {
  return new Reply<undefined>(303, undefined, { Location: url })
}

/**
 * One page of an ordered set, as a paged handler returns it.
 *
 * @param items the rows of the page, projected or not
 * @param total rows of the whole set; none: unknown, sent as `*`
 * @param next the cursor of the page behind this one, from a store that has its own
 *
 * @example
 * return slice(await db.rows(page.offset, page.limit), await db.count())
 */
export function slice<T>(items: Iterable<T> | AsyncIterable<T>, total?: number, next?: string): Slice<T> {
  return new Slice(items, total, next)
}

/**
 * A value with its strong entity tag, and so conditional requests (RFC 9110 §8.8.3, §13).
 *
 * @param value the representation
 * @param rev an opaque revision that changes whenever the value does
 * @param modified for `Last-Modified`
 *
 * @example
 * return withETag(employee, String(employee.version))
 */
export function withETag<T>(value: T, rev: string, modified?: Date): Tagged<T> {
  return new Tagged(value, rev, modified)
}

/**
 * A file of the server as the answer, streamed, with its type, length, entity tag and byte ranges.
 *
 * @param path the file; 404 where there is none. Never build it from a client's value unchecked
 * @param options `type` (default: by extension), `filename` for a download
 */
export function file(path: string, options?: { readonly type?: string; readonly filename?: string }): FileReply {
  return new FileReply(path, options)
}
