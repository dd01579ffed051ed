/** A request as the load and the comparison send it. */
export interface BenchRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

/** What came back, before anything is thrown away. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** A request whose answers are compared, and how. */
export interface Probe extends BenchRequest {
  readonly status: number
  /** `bytes`: status, media type, body and the named headers; `status`: the status alone; a function: what it makes of it. */
  readonly compare: 'bytes' | 'status' | ((answer: Answer) => unknown)
  /** Headers that must be equal as well, lower case. */
  readonly headers?: readonly string[]
  /** The members that a refusal must name, whoever's document it is. */
  readonly names?: readonly string[]
}

export interface Workload {
  readonly id: string
  readonly title: string
  /** What a server is started for: several workloads may ask one server different things. */
  readonly app: AppName
  /** Parameter routes of that application. */
  readonly routes: number
  /** Sent in turn by every connection. */
  readonly load: readonly BenchRequest[]
  readonly probes: readonly Probe[]
}

/** The applications that each contender writes. */
export type AppName = 'w1' | 'w2' | 'w3' | 'w4'

/** Numbers from `from` on, so that no answer can be kept from the request before. */
export function numbers(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}

/** Whether what is sent is meant to be refused. */
export function isRefused({ probes }: Workload): boolean {
  return (probes[0]?.status ?? 200) >= 400
}
