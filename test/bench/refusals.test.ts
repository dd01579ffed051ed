import { wrongRefusal } from '../../bench/harness/compare'
import { reasonOf } from '../../bench/harness/server-process'
import type { Probe } from '../../bench/workloads/workload'

const probe: Probe = { method: 'POST', path: '/users', status: 422, compare: 'status', names: ['age', 'name'] }

function refusal(status: number, body: string): string | undefined {
  return wrongRefusal({ status, headers: {}, body }, probe)
}

describe('wrongRefusal(answer, probe)', () => {
  it.each([400, 422, 499])('%d naming everything is right, whatever its document', (status) => {
    expect(refusal(status, '{"message":["age must be a number","body/name is short"]}')).toBeUndefined()
  })

  it.each([200, 302, 500])('%d is no refusal', (status) => {
    expect(refusal(status, 'age name')).toContain(`${status}, no 4xx`)
  })

  it('what it does not name is told; a part of a word is no name', () => {
    expect(refusal(400, '{"message":"username is wrong"}')).toMatch(/^does not name age, name:/)
    expect(refusal(400, '{"path":"/age"}')).toMatch(/^does not name name:/)
  })
})

describe('reasonOf(said)', () => {
  it('the line that names the error', () => {
    const trace = "node:internal/modules/loader:1210\n  throw err;\n  ^\n\nError: Cannot find module 'x'\n    at load"
    expect(reasonOf(trace)).toBe("Error: Cannot find module 'x'")
    expect(reasonOf('/a.js:1\nimport x\n^^^\n\nSyntaxError: Cannot use import\n')).toBe(
      'SyntaxError: Cannot use import',
    )
  })

  it('nothing of what names none', () => {
    expect(reasonOf('a warning')).toBeUndefined()
  })
})
