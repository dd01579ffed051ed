// What openapi-typescript 7 writes for a small document, with the empty members that it has of every path.

interface NoParameters {
  query?: never
  header?: never
  path?: never
  cookie?: never
}

interface AnyHeaders {
  [name: string]: unknown
}

export interface paths {
  '/fruits': {
    parameters: NoParameters
    get: {
      parameters: { query?: { amount?: number; tag?: string[] }; header?: never; path?: never; cookie?: never }
      requestBody?: never
      responses: {
        200: {
          headers: AnyHeaders
          content: { 'application/json': components['schemas']['Fruit'][]; 'application/xml': string }
        }
        206: { headers: AnyHeaders; content: { 'application/json': components['schemas']['Fruit'][] } }
        400: { headers: AnyHeaders; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    put?: never
    post: {
      parameters: NoParameters
      requestBody: {
        content: {
          'application/json': components['schemas']['Fruit']
          'multipart/form-data': { name: string; picture?: string }
        }
      }
      responses: {
        201: { headers: AnyHeaders; content: { 'application/json': components['schemas']['Fruit'] } }
        422: { headers: AnyHeaders; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/fruits/{name}': {
    parameters: { query?: never; header?: never; path: { name: string }; cookie?: never }
    get: operations['getFruit']
    put?: never
    post?: never
    delete: {
      parameters: { query?: never; header?: never; path: { name: string }; cookie?: never }
      requestBody?: never
      responses: {
        204: { headers: AnyHeaders; content?: never }
        default: { headers: AnyHeaders; content: { 'application/json': { error?: string } } }
      }
    }
    options?: never
    head?: never
    patch: {
      parameters: { query?: never; header: { 'If-Match': string }; path: { name: string }; cookie?: never }
      requestBody?: { content: { 'application/merge-patch+json': { amount?: number | null } } }
      responses: {
        200: { headers: AnyHeaders; content: { 'application/json': components['schemas']['Fruit'] } }
        204: { headers: AnyHeaders; content?: never }
      }
    }
    trace?: never
  }
  '/search': {
    parameters: NoParameters
    get: {
      parameters: { query: { q: string }; header?: never; path?: never; cookie?: never }
      requestBody?: never
      responses: { '2XX': { headers: AnyHeaders; content: { 'text/plain': string } } }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/picture': {
    parameters: NoParameters
    get: {
      parameters: NoParameters
      requestBody?: never
      responses: { 200: { headers: AnyHeaders; content: { 'image/png': unknown } } }
    }
    put: {
      parameters: NoParameters
      requestBody: { content: { 'image/png': unknown } }
      responses: { 204: { headers: AnyHeaders; content?: never } }
    }
    post?: never
    delete?: never
    options?: never
    head: {
      parameters: NoParameters
      requestBody?: never
      responses: { 200: { headers: AnyHeaders; content?: never } }
    }
    patch?: never
    trace?: never
  }
}

export interface components {
  schemas: {
    Fruit: { name: string; amount?: number | null }
    Problem: { type: string; title: string; status: number; detail?: string }
  }
}

export interface operations {
  getFruit: {
    parameters: { query?: never; header?: never; path: { name: string }; cookie?: never }
    requestBody?: never
    responses: {
      200: { headers: AnyHeaders; content: { 'application/json': components['schemas']['Fruit'] } }
      304: { headers: AnyHeaders; content?: never }
      404: { headers: AnyHeaders; content: { 'application/problem+json': components['schemas']['Problem'] } }
    }
  }
}
