/** Something that got through. */
export interface Finding {
  /** `POST /employees`. */
  readonly route: string
  /** What was sent, in words. */
  readonly input: string
  /** The status of the answer; 0 where none came. */
  readonly status: number
  /** What is wrong with the answer, in words. */
  readonly problem: string
}

/** Inputs that are named for one problem of one route. */
const named = 3

/**
 * Findings as text, by route and problem.
 *
 * @example
 * console.log(formatFindings((await harden(app)).findings))
 */
export function formatFindings(findings: readonly Finding[]): string {
  const groups = new Map<string, Finding[]>()
  for (const finding of findings) {
    const key = `${finding.route}: ${finding.status === 0 ? '' : `${finding.status}, `}${finding.problem}`
    groups.set(key, [...(groups.get(key) ?? []), finding])
  }
  return [...groups]
    .map(([key, members]) => {
      const inputs = members.slice(0, named).map(({ input }) => `\n  ${input}`)
      const more = members.length > named ? `\n  and ${members.length - named} more` : ''
      return `${key}${inputs.join('')}${more}`
    })
    .join('\n')
}
