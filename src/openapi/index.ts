export { createDocument } from './document'
export { createTypings } from './typings'
export type { OpenApiOptions } from './serve'
export type {
  Components,
  DocumentInfo,
  DocumentOptions,
  DocumentSettings,
  Info,
  OpenApiDocument,
  OperationObject,
  ParameterObject,
  PathItem,
  RequestBodyObject,
  ResponseObject,
  Schema,
  SecurityRequirement,
  SecurityScheme,
  ServerObject,
  UnlistedRoute,
} from './types'
