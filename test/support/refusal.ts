import type { Violation } from 'kumu'
import type { Answer } from './serve'

/** The violations of a refused request. */
export function violationsOf(answer: Answer): readonly Violation[] {
  return answer.json<{ errors?: readonly Violation[] }>().errors ?? []
}

/** The status of an answer, and `pointer code` a violation of a refused one. */
export function brief(answer: Answer): readonly (string | number)[] {
  if (answer.status < 400) return [answer.status]
  return [answer.status, ...violationsOf(answer).map(({ pointer, code }) => `${pointer} ${code}`)]
}
