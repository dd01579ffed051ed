export { retriesFromBackoffMax, retriesFromWaittimeMax, type BackoffFacts, type RetryCalculator } from './backoff'
export { withToken, type BearerOptions } from './bearer'
export { withCache, type CacheOptions } from './cache'
export type { AnyCalls, AnyInput, CallOptions, PagesOptions, RequestOptions, TypedCalls } from './calls'
export { createClient, type Client, type ClientBase } from './client'
export type { CallLimits } from './draft'
export {
  BadRequestError,
  ClientError,
  ConflictError,
  ContractError,
  DecodeError,
  ForbiddenError,
  GoneError,
  NetworkError,
  NotFoundError,
  PagingError,
  PreconditionFailedError,
  ResponseError,
  ServerError,
  TimeoutError,
  TokenError,
  TooManyRequestsError,
  UnauthorizedError,
  UnprocessableError,
  type ClientErrorCode,
  type RequestFacts,
  type ToldProblem,
} from './errors'
export type { ServerEvent } from './event-parser'
export type { ClientLogger, ClientOptions } from './options'
export type { AnswersOf, BodyOfSuccess, FullAnswer, InputOf, OperationAt, PathsWith, RowOf } from './paths'
export { requestAndValidate } from './request-and-validate'
export { withRetry, type Retry, type RetryOptions } from './retry'
export { withTimeout } from './timeout'
export type { ClientTls } from './tls'
export type { TokenRequest, TokenSet, TokenSource } from './token'
export { withTrace, type TraceContext, type TraceSource } from './trace'
export type { Transport, Wrap } from './transport'
