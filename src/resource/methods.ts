import { ConfigurationError } from '../errors'
import type { ParamType } from '../route/plan'
import type { AbstractConstructor, Method as HttpMethod } from '../types'
import type { AnswerDocFact, PagedOptions } from './metadata'
import { onClassOrMethod, onMethod, type OnClassOrMethod, type OnMethod } from './target'

/**
 * An operation for a method of HTTP of your choice.
 *
 * @param verb a token in capitals: `'REPORT'`
 * @param path below the class's path; default: that path itself
 */
export function Method(verb: HttpMethod, path = ''): OnMethod {
  return verbDecorator('Method', verb, path)
}

/** Reads (RFC 9110 §9.3.1). HEAD follows by itself. */
export function Get(path = ''): OnMethod {
  return verbDecorator('Get', 'GET', path)
}

/** Replaces, or creates at a known address (RFC 9110 §9.3.4). */
export function Put(path = ''): OnMethod {
  return verbDecorator('Put', 'PUT', path)
}

/** Creates below this path, or processes (RFC 9110 §9.3.3). */
export function Post(path = ''): OnMethod {
  return verbDecorator('Post', 'POST', path)
}

/** Changes in part (RFC 5789). */
export function Patch(path = ''): OnMethod {
  return verbDecorator('Patch', 'PATCH', path)
}

/** Removes (RFC 9110 §9.3.5). */
export function Delete(path = ''): OnMethod {
  return verbDecorator('Delete', 'DELETE', path)
}

/** Answers HEAD apart from GET (RFC 9110 §9.3.2). */
export function Head(path = ''): OnMethod {
  return verbDecorator('Head', 'HEAD', path)
}

/** Answers OPTIONS in place of the automatic 204 with `Allow` (RFC 9110 §9.3.7). */
export function Options(path = ''): OnMethod {
  return verbDecorator('Options', 'OPTIONS', path)
}

function verbDecorator(decorator: string, method: HttpMethod, path: string): OnMethod {
  return (target, name) => {
    const facts = onMethod(decorator, target, name)
    if (path !== '' && !path.startsWith('/') && !path.startsWith('{')) {
      throw new ConfigurationError(
        `${target.constructor.name}.${String(name)}`,
        `the path "${path}" of @${decorator} does not start with a slash`,
        `Write "/${path}"`,
      )
    }
    facts.routes = [{ method, path }, ...facts.routes]
  }
}

/**
 * The status of a plain value. Default 200.
 *
 * @param status 200 to 299, or any other that the operation answers by rule
 */
export function Status(status: number): OnMethod {
  return (target, name) => {
    onMethod('Status', target, name).status = status
  }
}

/** The status of `null`. Default: 404 from GET and HEAD, else 204. 200 sends JSON's `null`. */
export function OnNull(status: number): OnMethod {
  return (target, name) => {
    onMethod('OnNull', target, name).nullStatus = status
  }
}

/** A header of every answer that succeeds. */
export function ResponseHeader(header: string, value: string): OnClassOrMethod {
  return (target, name) => {
    const facts = onClassOrMethod('ResponseHeader', target, name)
    facts.headers = [[header, value], ...facts.headers]
  }
}

/**
 * Sends the client elsewhere once the method has run; a string that the method returns replaces the target.
 *
 * @param to a URI reference
 * @param status 301, 302, 303, 307 or 308; default 302
 */
export function Redirect(to: string, status: 301 | 302 | 303 | 307 | 308 = 302): OnMethod {
  return (target, name) => {
    onMethod('Redirect', target, name).redirect = { to, status }
  }
}

/**
 * What the operation answers: the class or schema, or a list of it, of a reply with this status. For documents, and for
 * the check of replies in development.
 */
export function Returns(
  type: ParamType,
  options: Pick<AnswerDocFact, 'status' | 'description' | 'etag' | 'example'> = {},
): OnMethod {
  return (target, name) => {
    const facts = onMethod('Returns', target, name)
    facts.answers = [{ type, ...options }, ...facts.answers]
  }
}

/** The errors that the operation or every operation of the class may throw, for the documents. */
export function Throws(...errors: readonly AbstractConstructor[]): OnClassOrMethod {
  return (target, name) => {
    const facts = onClassOrMethod('Throws', target, name)
    facts.throws = [...errors, ...facts.throws]
  }
}

/**
 * Pages what the method returns: by `Range` header, `?range=`, `?offset=&limit=` or cursor, with filters, sorting and fields.
 *
 * @param options unit, limit (default 100), max (default 1,000), status, count, sort, filter, cursor
 *
 * @example
 * ;@Get() @Paged({ max: 500, sort: ['name'], filter: ['name'] })
 * list() { return this.rows }
 */
export function Paged(options: PagedOptions = {}): OnMethod {
  return (target, name) => {
    onMethod('Paged', target, name).paged = options
  }
}

/** Marks as on its way out: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to the news. Dates are ISO 8601. */
export function Deprecated(options: { since?: string; sunset?: string; link?: string } = {}): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('Deprecated', target, name).deprecated = options
  }
}

/** Answers 503 when the method takes longer, and aborts its signal. In milliseconds. */
export function Timeout(milliseconds: number): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('Timeout', target, name).timeout = milliseconds
  }
}

/** Answers 428 to a request without `If-Match` or `If-None-Match` (RFC 6585 §3). */
export function RequireMatch(): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('RequireMatch', target, name).requireMatch = true
  }
}

/** A few words on the operation, for the documents. */
export function Summary(text: string, description?: string): OnMethod {
  return (target, name) => {
    const facts = onMethod('Summary', target, name)
    facts.summary = text
    if (description !== undefined) facts.description = description
  }
}

/**
 * A method that may replace the answer to an error: it gets the error and the context. Its class is given in
 * `errors.handlers`.
 *
 * @param on a status, a class of them (`'5xx'`), or a class of errors
 */
export function ErrorHandler(on: number | string | AbstractConstructor): OnMethod {
  return (target, name) => {
    const facts = onMethod('ErrorHandler', target, name)
    facts.errorOf = [...facts.errorOf, on]
  }
}
