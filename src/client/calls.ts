import type { CallLimits } from './draft'
import type {
  AnswersOf,
  BodyOfSuccess,
  FullAnswer,
  HeaderValue,
  InputOf,
  OperationAt,
  PathsWith,
  RowOf,
  Verb,
} from './paths'

/** What every call takes: limits in place of those of the client, and a signal that ends it. */
export interface CallOptions extends CallLimits {
  readonly signal?: AbortSignal
}

/** What a call of a client without `paths` takes. */
export interface AnyInput extends CallOptions {
  /** Values for the names in braces; a list fills several segments. */
  readonly path?: Readonly<Record<string, unknown>>
  /** Lists are repeated; `undefined` and `null` are left out. */
  readonly query?: Readonly<Record<string, unknown>>
  /** In place of those of the client; `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, HeaderValue>>
  readonly body?: unknown
  /** The media type of the body. Default: JSON, or what the body itself says. */
  readonly type?: string
}

/** What `request` and `stream` take besides their arguments. */
export type RequestOptions = Omit<AnyInput, 'path' | 'body'>

/** How a list is read page by page. */
export interface PagesOptions<Row = unknown> extends CallOptions {
  /** Rows of a page. Default: as many as the server likes. */
  readonly limit?: number
  /** How the first page is asked for: by `?limit=`, by `?cursor=`, or by `Range` with this unit. Default `query`. */
  readonly by?: 'query' | 'cursor' | { readonly range: string }
  readonly path?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, HeaderValue>>
  /** The rows in the body of a page. Default: the body itself. */
  readonly rows?: (body: unknown) => readonly Row[]
  /** The cursor of the next page in the body, nothing at the end. Default: `Link` and `Content-Range` tell. */
  readonly next?: (body: unknown) => string | null | undefined
}

type Input<Paths, P extends keyof Paths, V extends Verb> = InputOf<OperationAt<Paths, P, V>> & CallOptions

type Rest<Options> = Record<never, never> extends Options ? [options?: Options] : [options: Options]

type Result<V extends Verb, Operation> = V extends 'head' ? Headers : BodyOfSuccess<Operation>

/** Calls of a client whose `paths` the compiler knows. */
export type TypedCalls<Paths> = {
  readonly [V in Verb]: <P extends PathsWith<Paths, V>>(
    path: P,
    ...rest: Rest<Input<Paths, P, V>>
  ) => Promise<Result<V, OperationAt<Paths, P, V>>>
} & {
  /** The same calls, answered by `{ status, ok, headers, body }`; an error status is an answer, too. */
  readonly full: {
    readonly [V in Verb]: <P extends PathsWith<Paths, V>>(
      path: P,
      ...rest: Rest<Input<Paths, P, V>>
    ) => Promise<AnswersOf<OperationAt<Paths, P, V>>>
  }
  /** The rows of a list, page after page. */
  pages<P extends PathsWith<Paths, 'get'>>(
    path: P,
    options?: PagesOptions<RowOf<BodyOfSuccess<OperationAt<Paths, P, 'get'>>>> &
      Partial<Pick<Input<Paths, P, 'get'>, 'path' | 'query'>>,
  ): AsyncIterableIterator<RowOf<BodyOfSuccess<OperationAt<Paths, P, 'get'>>>>
}

/** Calls of a client without `paths`. */
export type AnyCalls = {
  readonly [V in Exclude<Verb, 'head'>]: <Body = unknown>(path: string, options?: AnyInput) => Promise<Body>
} & {
  readonly head: (path: string, options?: AnyInput) => Promise<Headers>
  /** The same calls, answered by `{ status, ok, headers, body }`; an error status is an answer, too. */
  readonly full: {
    readonly [V in Verb]: <Body = unknown>(
      path: string,
      options?: AnyInput,
    ) => Promise<FullAnswer<number, boolean, Body>>
  }
  /** The rows of a list, page after page. */
  pages<Row = unknown>(path: string, options?: PagesOptions<Row>): AsyncIterableIterator<Row>
}
