import type { Codec, ErrorFormat } from '../route/plan'

/** A schema of JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  not?: Schema
  description?: string
  [keyword: string]: unknown
}

/** A pointer to something under `components`. */
export interface Reference {
  readonly $ref: string
}

export interface MediaTypeObject {
  readonly schema?: Schema
  readonly example?: unknown
}

export type Content = Record<string, MediaTypeObject>

export interface HeaderObject {
  readonly description?: string
  readonly schema: Schema
  readonly example?: unknown
}

export interface ResponseObject {
  readonly description: string
  readonly headers?: Record<string, HeaderObject | Reference>
  readonly content?: Content
}

export interface ParameterObject {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
  readonly style?: string
  readonly explode?: boolean
  readonly example?: unknown
}

export interface RequestBodyObject {
  readonly required: boolean
  readonly content: Content
}

export type SecurityRequirement = Readonly<Record<string, readonly string[]>>

export interface OperationObject {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly deprecated?: boolean
  readonly parameters?: readonly ParameterObject[]
  readonly requestBody?: RequestBodyObject
  readonly responses: Record<string, ResponseObject | Reference>
  readonly security?: readonly SecurityRequirement[]
}

/** The operations of one path, by method in lower case. */
export type PathItem = Record<string, OperationObject>

export interface SecurityScheme {
  readonly type: string
  readonly [member: string]: unknown
}

export interface Components {
  readonly schemas?: Record<string, Schema>
  readonly responses?: Record<string, ResponseObject>
  readonly headers?: Record<string, HeaderObject>
  readonly securitySchemes?: Record<string, SecurityScheme>
}

/** Who made the interface, and which it is. */
export interface Info {
  readonly title: string
  readonly version: string
  readonly summary?: string
  readonly description?: string
  readonly termsOfService?: string
  readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string }
  readonly license?: { readonly name: string; readonly identifier?: string; readonly url?: string }
}

/** A route that OpenAPI has no words for: its path is a RegExp, or its method is none of the eight. */
export interface UnlistedRoute {
  readonly id: string
  readonly method: string
  readonly path: string
}

/** A document of OpenAPI 3.1: plain data. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: Info
  readonly servers?: readonly ServerObject[]
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Record<string, PathItem>
  readonly components?: Components
  readonly security?: readonly SecurityRequirement[]
  readonly 'x-kumu-unlisted'?: readonly UnlistedRoute[]
}

/** Where the interface is served. */
export interface ServerObject {
  readonly url: string
  readonly description?: string
}

/** What the author says of the whole. */
export interface DocumentInfo {
  /** Title and version. Default `API`, `0.0.0`. */
  readonly info?: Partial<Info>
  /** Where the interface is served. Default: where the document is. */
  readonly servers?: readonly ServerObject[]
  /** Schemes by name, beside and in place of those that are known from `auth`. */
  readonly securitySchemes?: Readonly<Record<string, SecurityScheme>>
  /** What guarded routes ask for. Default: any one of the schemes known from `auth`. */
  readonly security?: readonly SecurityRequirement[]
  /** A sentence for each tag. */
  readonly tags?: Readonly<Record<string, string>>
}

/** What the document needs of the application; every member has the application's own default. */
export interface DocumentSettings {
  /** A path before all others: `/api`. */
  readonly prefix?: string
  readonly codecs?: readonly Codec[]
  /** The shape of errors. Default `problem`. */
  readonly errorFormat?: ErrorFormat | 'own'
  /** The status that a domain error has by the application's rules. */
  readonly statusOf?: (error: unknown) => number | undefined
  /** What becomes of members of a body that nobody declared. Default `refuse`. */
  readonly unknownBody?: 'refuse' | 'strip'
  /** The status of a body that breaks its rules. Default 422. */
  readonly bodyStatus?: number
  /** Whether `@IsOptional()` lets null pass as well. Default false. */
  readonly optionalNull?: boolean
  /** Default `strict`. */
  readonly negotiation?: 'strict' | 'lenient'
  /** Default `none`. */
  readonly envelope?: 'none' | 'urest'
  /** Challenges of the application's `auth`, one a scheme. */
  readonly challenges?: readonly string[]
}

/** Options of {@link createDocument}. */
export interface DocumentOptions extends DocumentInfo, DocumentSettings {}
