/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/** Anything that can be called with `new`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a constructor's parameters are contravariant: only `any` takes every class
export type Constructor<T = unknown> = new (...args: any[]) => T

/** A class, abstract ones included. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export type AbstractConstructor<T = unknown> = abstract new (...args: any[]) => T

/** A method of HTTP: the registered ones for completion, any other token as well (RFC 9110 §9.1). */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | (string & {})

/** Headers as an application gives them: one value a name, or several. */
export type HeaderMap = Readonly<Record<string, string | readonly string[]>>
