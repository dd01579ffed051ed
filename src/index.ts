export { App, compileValidator, createApp, createRouter, errorToStatus } from './app'
export type { AppOptions, ErrorOptions, KoaOptions, RouterOptions } from './app'
export {
  BadRequest,
  ConfigurationError,
  Conflict,
  ContentTooLarge,
  Forbidden,
  Gone,
  HttpError,
  Locked,
  MethodNotAllowed,
  NoSuchResource,
  NotAcceptable,
  NotFound,
  NotImplemented,
  PreconditionFailed,
  PreconditionRequired,
  RangeNotSatisfiable,
  RequestTimeout,
  ResourceExists,
  ServiceUnavailable,
  TooManyRequests,
  Unauthorized,
  UnsupportedMediaType,
  ValidationError,
} from './errors'
export type { HttpErrorOptions, ValueSource, Violation } from './errors'
export { Collection } from './resource/collection'
export type { Where } from './resource/collection'
export type { AtomicOptions, PagedOptions, ParamOptions, ResourceOptions } from './resource/metadata'
export {
  Delete,
  Deprecated,
  ErrorHandler,
  Get,
  Head,
  Method,
  OnNull,
  Options,
  Paged,
  Patch,
  Post,
  Put,
  Redirect,
  RequireMatch,
  ResponseHeader,
  Returns,
  Status,
  Summary,
  Throws,
  Timeout,
} from './resource/methods'
export {
  Body,
  Context,
  Cookie,
  Fields,
  File,
  Files,
  Header,
  Page,
  Param,
  Query,
  RawBody,
  Read,
  Signal,
  State,
  User,
} from './resource/params'
export type { ParamMap } from './resource/params'
export type { FromType, MapValue, Mismatch, OnParameter, ValueOf } from './resource/param-types'
export {
  Atomic,
  Authorize,
  Consumes,
  Intercept,
  Limit,
  Open,
  Produces,
  Resource,
  Tag,
  UnknownQuery,
  Use,
  Version,
} from './resource/resource'
export type { AccessRule } from './resource/resource'
export type { AuthSettings, Verify } from './route/access'
export { form as formCodec } from './route/codecs/form'
export { json as jsonCodec } from './route/codecs/json'
export { ndjson as ndjsonCodec } from './route/codecs/ndjson'
export { xml as xmlCodec } from './route/codecs/xml'
export { yaml } from './route/codecs/yaml'
export type { ResourceLike } from './route/compile'
export type { LimitOptions } from './route/limits'
export { cursorAfter } from './route/page-cursor'
export { definePlan, Integer } from './route/plan'
export type {
  Codec,
  DecodeContext,
  ErrorBody,
  ErrorFormat,
  Gate,
  Interceptor,
  KeysetValue,
  KeyValue,
  Limits,
  Logger,
  Middleware,
  PageCursor,
  PageRequest,
  ParamPlan,
  ParamType,
  Pipe,
  PlanInit,
  PlanSet,
  Principal,
  Reader,
  RoutePlan,
  SortKey,
  StandardSchema,
  StatusRule,
  WhereValue,
} from './route/plan'
export { assertPrecondition } from './route/precondition'
export { accepted, created, file, noContent, reply, Reply, seeOther, Slice, slice, withETag } from './route/replies'
export { PlanRouter } from './route/router'
export { event, StreamEvent } from './route/stream'
export { UploadedFile } from './route/upload'
export type { Awaitable, Constructor } from './types'
export { AnyBody } from './validation/any-body'
export type { CompiledValidator, ValidatorOptions } from './validation/compile-validator'
export { Nullable } from './validation/nullable'
export type { ValidationOptions } from './validation/pipe'
