/** What was found: stable words, for `--allow` and for who greps. */
export type FindingCode =
  | 'start'
  | 'shadowed-route'
  | 'unread-parameter'
  | 'missing-parameter'
  | 'unruled-class'
  | 'unchecked-elements'
  | 'two-copies'
  | 'unreachable-media-type'
  | 'undocumented-error'
  | 'unverified-access'

/** All codes, each with a sentence for the help. */
export const findingCodes: Readonly<Record<FindingCode, string>> = {
  start: 'the application would not start',
  'shadowed-route': 'another route is given all of its requests',
  'unread-parameter': 'nobody reads a parameter of the path',
  'missing-parameter': 'a required parameter is not in every form of the path',
  'unruled-class': 'a class of input cannot be validated',
  'unchecked-elements': 'nothing says of what the elements of a list are',
  'two-copies': 'a library is there twice',
  'unreachable-media-type': 'a declared media type has no codec',
  'undocumented-error': 'a method throws what the documents do not name',
  'unverified-access': '@Authorize, and nobody verifies',
}

/** One thing that would fail or surprise later. */
export interface Finding {
  readonly code: FindingCode
  /** `error`: it fails for sure; `warning`: it may be meant so. */
  readonly level: 'error' | 'warning'
  /** Class and method, and the parameter where it is one: `Employees.one, parameter 0`. */
  readonly where: string
  readonly what: string
  /** What to write instead. */
  readonly cure: string
  /** The class that it stands on, where it is known. */
  readonly target?: object
}

/** A finding as one line: `src/a.ts: error: A.b: there is no c. Write d. [start]`. */
export function formatFinding({ code, level, where, what, cure }: Finding, file: string): string {
  return `${file}: ${level}: ${where}: ${what}. ${cure}. [${code}]`.replace(/\s*\n\s*/g, ' ')
}
