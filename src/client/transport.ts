/**
 * One HTTP exchange, as `fetch` has it: it resolves with any answer, whatever its status, rejects where there is none, and
 * ends when the request's signal does. Everything the client does stands on it.
 */
export type Transport = (request: Request) => Promise<Response>

/**
 * A layer around a transport.
 *
 * @example
 * const logged: Wrap = (next) => async (request) => {
 *   const response = await next(request)
 *   console.log(request.method, request.url, response.status)
 *   return response
 * }
 */
export type Wrap = (next: Transport) => Transport
