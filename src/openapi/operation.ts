import * as errors from '../errors'
import type { RoutePlan } from '../route/plan'
import type { ClassSchemas } from './class-schemas'
import { parametersOf } from './parameters'
import type { PathTemplate } from './paths'
import { problemName, problemResponse, sentStatus, type ErrorShape } from './problems'
import { refusalsOf, statusOfClass, type RefusalSettings } from './refusals'
import { requestBodyOf, type BodySettings } from './request-body'
import { answersOf, type AnswerSettings } from './responses'
import type { OperationObject, Reference, ResponseObject, SecurityRequirement } from './types'

/** What operations are made with. */
export interface OperationSettings extends RefusalSettings, BodySettings, AnswerSettings {
  readonly classes: ClassSchemas
  readonly errorFormat: ErrorShape
  /** What a guarded route asks for: one of these. */
  readonly security: readonly SecurityRequirement[]
  /** Shared answers to errors, filled as they are used. */
  readonly problems: Map<number, string>
}

/** One route on one of its paths. */
export function operationOf(
  plan: RoutePlan,
  operationId: string,
  path: PathTemplate,
  conditional: boolean,
  settings: OperationSettings,
): OperationObject {
  const { summary, tags, deprecated } = plan.doc
  const description = descriptionOf(plan)
  const parameters = parametersOf(plan, path, conditional, settings.classes)
  const requestBody = requestBodyOf(plan, settings)
  return {
    operationId,
    ...(summary !== undefined && { summary }),
    ...(description !== '' && { description }),
    ...(tags.length > 0 && { tags }),
    ...(deprecated && { deprecated: true }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: responsesOf(plan, conditional, settings),
    ...(plan.access && { security: securityOf(plan, settings) }),
  }
}

function descriptionOf({ doc: { description, deprecated } }: RoutePlan): string {
  const { since, sunset, link } = deprecated ?? {}
  return [description, since && `Deprecated since ${since}.`, sunset && `Gone on ${sunset}.`, link && `See ${link}.`]
    .filter(Boolean)
    .join(' ')
}

function responsesOf(
  plan: RoutePlan,
  conditional: boolean,
  settings: OperationSettings,
): Record<string, ResponseObject | Reference> {
  const responses: Record<string, ResponseObject | Reference> = {}
  for (const [status, response] of answersOf(plan, conditional, settings)) responses[status] = response
  for (const status of [...refusalsOf(plan, conditional, settings)].sort((a, b) => a - b)) {
    const sent = sentStatus(status, settings.errorFormat)
    responses[sent] ??= refusalResponse(status, sent, plan, settings)
  }
  return responses
}

/** Kumu's own errors say no more than their status. */
const family: ReadonlySet<unknown> = new Set(Object.values(errors))

/** Answers of one status are one component, unless the route says what the status means there. */
function refusalResponse(
  status: number,
  sent: number,
  plan: RoutePlan,
  settings: OperationSettings,
): ResponseObject | Reference {
  const said = plan.doc.answers.find((answer) => answer.status === status)?.description
  const thrown = plan.doc.throws.filter((Class) => !family.has(Class) && statusOfClass(Class, settings) === status)
  const name = problemName(sent)
  const description = said ?? (thrown.length > 0 ? thrown.map((Class) => Class.name).join(', ') : undefined)
  if (description !== undefined) return problemResponse(sent, settings.errorFormat, description)
  settings.problems.set(sent, name)
  return { $ref: `#/components/responses/${name}` }
}

/** Any one of the schemes will do, and any one of the roles. */
function securityOf({ access }: RoutePlan, { security }: OperationSettings): SecurityRequirement[] {
  const roles = access?.roles ?? []
  if (roles.length === 0) return [...security]
  return security.flatMap((scheme) =>
    roles.map((role) => Object.fromEntries(Object.entries(scheme).map(([name, scopes]) => [name, [...scopes, role]]))),
  )
}
