// Types alone: from the `paths` of openapi-typescript to what a call takes and gives. They look at one operation at a time,
// so that a document of 500 costs the compiler no more than the operations in use.

/** The methods that an OpenAPI path can have and a client calls. */
export type Verb = 'get' | 'put' | 'post' | 'patch' | 'delete' | 'head' | 'options'

/** Paths that have an operation of this method. */
export type PathsWith<Paths, V extends Verb> = {
  [P in keyof Paths]: Paths[P] extends { readonly [K in V]: object } ? P : never
}[keyof Paths]

/**
 * The operation of a path. Through a type that is inferred, and not as `Paths[P][V]`: while the compiler infers `P` that
 * would be the union of all operations, which it then walks for every member of every call.
 */
export type OperationAt<Paths, P extends keyof Paths, V extends Verb> = [P] extends [infer Path]
  ? Path extends keyof Paths
    ? V extends keyof Paths[Path]
      ? Paths[Path][V]
      : never
    : never
  : never

type Section<Operation, Name extends string> = Operation extends { parameters: { [N in Name]?: infer Value } }
  ? Exclude<Value, undefined>
  : never

// An option that has something required in it is required itself; one that has nothing is not there.
type Member<Name extends string, Value> = [Value] extends [never]
  ? { readonly [N in Name]?: never }
  : Record<never, never> extends Value
    ? { readonly [N in Name]?: Value }
    : { readonly [N in Name]: Value }

/** Headers besides those that the document names. */
type MoreHeaders = Readonly<Record<string, HeaderValue>>

/** A header as it is given; `undefined` leaves one of the client's own out. */
export type HeaderValue = string | number | boolean | undefined

type HeaderMember<Value> = [Value] extends [never]
  ? { readonly headers?: MoreHeaders }
  : Record<never, never> extends Value
    ? { readonly headers?: Value & MoreHeaders }
    : { readonly headers: Value & MoreHeaders }

type BodyMember<Operation> = Operation extends { requestBody: { content: infer Contents } }
  ? BodyOf<Contents>
  : Operation extends { requestBody?: { content: infer Contents } }
    ? BodyOf<Contents> | { readonly body?: undefined; readonly type?: undefined }
    : { readonly body?: never; readonly type?: never }

// JSON is what a value is sent as unless `type` says otherwise.
type BodyOf<Contents> = {
  [Type in keyof Contents]: Type extends `application/json${string}`
    ? { readonly body: Contents[Type]; readonly type?: Type }
    : { readonly body: Sent<Type, Contents[Type]>; readonly type: Type }
}[keyof Contents]

type Sent<Type, Value> = Type extends `${string}+json`
  ? Value
  : Type extends `multipart/form-data${string}`
    ? FormData | FormBody<Value>
    : Type extends `application/x-www-form-urlencoded${string}`
      ? URLSearchParams | FormBody<Value>
      : Type extends `text/${string}` | `${string}xml` | `${string}yaml`
        ? string | Blob
        : string | Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** The members of a form; a list is repeated. */
export type FormBody<Value> = { readonly [Name in keyof Value]: Value[Name] | Blob | readonly Blob[] }

/** What a call of an operation takes, besides limits and a signal. */
export type InputOf<Operation> = Member<'path', Section<Operation, 'path'>> &
  Member<'query', Section<Operation, 'query'>> &
  HeaderMember<Section<Operation, 'header'>> &
  BodyMember<Operation>

type Success = 200 | 201 | 202 | 203 | 204 | 205 | 206 | 207 | 208 | 226 | '2XX'

type Responses<Operation> = Operation extends { responses: infer All } ? All : never

// What is accepted is JSON first, so where a status has JSON, JSON it is.
type ContentOf<Response> = Response extends { content: infer Contents }
  ? [JsonTypes<keyof Contents>] extends [never]
    ? Received<keyof Contents>
    : Contents[JsonTypes<keyof Contents>]
  : null

type JsonTypes<Type> = Extract<Type, `application/json${string}` | `${string}+json`>

type Received<Type> = Type extends `text/${string}` | `${string}xml` | `${string}yaml` | `${string}ndjson`
  ? string
  : Uint8Array

/** The body of a success; `default` counts where the document names no other. */
export type BodyOfSuccess<Operation> = [keyof Responses<Operation> & Success] extends [never]
  ? 'default' extends keyof Responses<Operation>
    ? ContentOf<Responses<Operation>['default']>
    : null
  : { [S in keyof Responses<Operation> & Success]: ContentOf<Responses<Operation>[S]> }[keyof Responses<Operation> &
      Success]

/** An answer with its status, which tells of which type the body is. */
export interface FullAnswer<Status, IsOk, Body> {
  readonly status: Status
  /** Whether the status is one of success, 200 to 299. */
  readonly ok: IsOk
  readonly headers: Headers
  readonly body: Body
}

/** Every answer that the document names, of errors too: `default` and `4XX` with any number as their status. */
export type AnswersOf<Operation> = {
  [S in keyof Responses<Operation>]: FullAnswer<
    S extends number ? S : number,
    S extends Success ? true : S extends 'default' ? boolean : false,
    ContentOf<Responses<Operation>[S]>
  >
}[keyof Responses<Operation>]

/** One row of a list. */
export type RowOf<Body> = Body extends ReadonlyArray<infer Row> ? Row : unknown
