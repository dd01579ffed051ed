import { ConfigurationError } from '../errors'
import { isToken } from '../http/token'
import { toTypePlan } from '../route/checks'
import { pagingNames, type FilterPlan, type PagingPlan, type ParamType, type PlanTools } from '../route/plan'

/** How the list of a collection is paged. Defaults of the application hold where one is left out. */
export interface CollectionPaging {
  /** The range unit. Default: the collection's name. */
  readonly unit?: string
  /** Documents where the client names no number. Default 100. */
  readonly limit?: number
  /** Documents at the most. Default 1,000. */
  readonly max?: number
  /** The status of a part that the query asked for. Default 206. */
  readonly status?: 200 | 206
  /** How the whole is counted. Default exact. */
  readonly count?: 'exact' | 'estimated' | 'none'
  /** Names that may be sorted by. Default: the scalar members of the model, and the key. */
  readonly sort?: readonly string[] | boolean
  /** Names that filter by equality, or with their types. Default: the scalar members of the model, and the key. */
  readonly filter?: readonly string[] | Readonly<Record<string, ParamType>>
  /** Whether pages by cursor are served, and a secret that signs the cursors. Default true, unsigned. */
  readonly cursor?: boolean | { readonly secret?: string }
}

/** What the paging of a collection is made of. */
export interface PagingSource {
  readonly where: string
  readonly name: string
  readonly keyName: string
  readonly members: readonly FilterPlan[]
}

/** Parameters of a list that a member of the model cannot have the name of. */
const taken: ReadonlySet<string> = new Set([...pagingNames, 'watch'])

/**
 * The paging of a collection's list.
 *
 * @throws ConfigurationError where a number or a name will not do
 */
export function collectionPaging(
  own: CollectionPaging,
  { where, name, keyName, members }: PagingSource,
  { paging }: Pick<PlanTools, 'paging'>,
): PagingPlan {
  const said = { ...paging, ...own }
  const unit = own.unit ?? name
  if (!isToken(unit)) {
    throw new ConfigurationError(where, `"${unit}" is no range unit`, 'Give it a `name` of letters, digits and dashes')
  }
  const max = said.max ?? 1000
  const limit = Math.min(said.limit ?? 100, max)
  if (!Number.isSafeInteger(limit) || !Number.isSafeInteger(max) || limit < 1 || max > 10_000) {
    throw new ConfigurationError(where, 'limit and max of `paged` are whole numbers from 1 to 10,000', 'Write 100')
  }
  const key: FilterPlan = { name: keyName, type: { kind: 'string', list: false } }
  const scalars = [key, ...members.filter((member) => member.name !== keyName)]
  const sort = own.sort ?? true
  const { cursor = true } = own
  return Object.freeze({
    unit,
    limit,
    max,
    status: said.status ?? 206,
    count: said.count ?? 'exact',
    sort: sort === true ? scalars.map((member) => member.name) : sort || [],
    filter: own.filter
      ? filters(own.filter, scalars, where)
      : scalars.filter((member) => member.name === keyName || !taken.has(member.name)),
    cursor: cursor
      ? { key: [keyName], ...(cursor !== true && cursor.secret !== undefined && { secret: cursor.secret }) }
      : undefined,
  })
}

function filters(
  filter: NonNullable<CollectionPaging['filter']>,
  scalars: readonly FilterPlan[],
  where: string,
): readonly FilterPlan[] {
  const text = { kind: 'string', list: false } as const
  if (isNames(filter))
    return filter.map((name) => scalars.find((member) => member.name === name) ?? { name, type: text })
  return Object.entries(filter).map(([name, type]) => {
    const plan = toTypePlan(type, `${where}, filter "${name}"`) ?? text
    if (plan.kind !== 'schema' && plan.kind !== 'class') return { name, type: plan }
    throw new ConfigurationError(
      `${where}, filter "${name}"`,
      'documents are compared with a value of a known type',
      'Give String, Number, Integer, Boolean or Date',
    )
  })
}

function isNames(filter: NonNullable<CollectionPaging['filter']>): filter is readonly string[] {
  return Array.isArray(filter)
}
