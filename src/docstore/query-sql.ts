import { createHash } from 'node:crypto'
import type { DriverQuery, QueryValue } from './driver'
import { firstToken, lastToken, toToken } from './query-tokens'

/** What two databases say differently. A `path` is one of {@link toMemberName}d names. */
export interface QueryDialect {
  /** The table, with the columns `key`, `expires` and `tokens`. */
  readonly table: string
  /** The token that stands at a path, as text in byte order; NULL where there is none. */
  token(path: readonly string[]): string
  /** Whether a list stands at a path. */
  isList(path: readonly string[]): string
  /** Whether the list at a path holds one of the tokens. */
  hasElement(path: readonly string[], tokens: readonly string[]): string
  /** Whether an expression is one of the tokens. */
  isOneOf(expression: string, tokens: readonly string[]): string
  /** What stands for a parameter. */
  placeholder(position: number): string
  /** Characters of a token that an index takes. A longer one is cut there. */
  readonly longest?: number
}

/** One statement, ready to run. */
export interface Statement {
  readonly text: string
  readonly values: readonly (string | number)[]
}

/**
 * A query as SQL. What an index can be used for is written as its expressions are; that holds good only where no
 * document has a list or an overlong text at the indexed path, which {@link irregularity} finds out.
 */
export class QuerySql {
  readonly #values: Array<string | number> = []
  readonly #dialect: QueryDialect
  readonly #query: DriverQuery
  readonly #now: string
  readonly #isRegular: (path: readonly string[]) => boolean

  /**
   * @param now SQL for the time in milliseconds, or the time
   * @param isRegular whether nothing but short single values stands at a path
   */
  constructor(
    dialect: QueryDialect,
    query: DriverQuery,
    now: string | number,
    isRegular: (path: readonly string[]) => boolean,
  ) {
    this.#dialect = dialect
    this.#query = query
    this.#isRegular = isRegular
    this.#now = typeof now === 'number' ? this.#param(now) : now
  }

  /**
   * The page, one more than its limit where there are more, in order. Beside the columns stand the key and, as `s0` and so on,
   * what it is ordered by.
   *
   * @param columns of the table, or expressions of it
   */
  page(columns: readonly string[]): Statement {
    const { limit, offset, after, sort } = this.#query
    const places = sort.map((_, index) => this.#direction(index, this.#sortable(index)))
    const selected = ['key', ...columns, ...places.map(({ expression }, index) => `${expression} AS s${index}`)].join(
      ', ',
    )
    const from = `SELECT ${selected} FROM ${this.#dialect.table} WHERE`
    // Written out: how far a page reaches decides on the plan.
    const bounds = (): string =>
      offset === 0 ? `LIMIT ${limit + 1}` : `LIMIT ${limit + 1} OFFSET ${this.#param(offset)}`
    if (!after) {
      const by = [...places.map(({ term }) => term), 'key'].join(', ')
      return this.#statement(`${from} ${this.#filter()} ORDER BY ${by} ${bounds()}`)
    }
    const reach = offset === 0 ? limit + 1 : this.#param(offset + limit + 1)
    // One branch for each place where the orders of two documents may part: every one of them is a range of an index.
    const branches = [...sort.keys(), sort.length].flatMap((parting) => {
      // Behind null there is nothing, in either direction.
      if (parting < sort.length && (after.values[parting] ?? null) === null) return []
      const conditions = [this.#filter(), ...this.#behind(parting)].join(' AND ')
      const by = [...places.slice(parting).map(({ term }) => term), 'key'].join(', ')
      return `${from} ${conditions} ORDER BY ${by} LIMIT ${reach}`
    })
    const [only] = branches
    if (branches.length === 1 && offset === 0) return this.#statement(only!)
    const united = branches.map((branch, index) => `SELECT * FROM (${branch}) AS b${index}`).join(' UNION ALL ')
    return this.#statement(`SELECT * FROM (${united}) AS page ORDER BY ${this.order()} ${bounds()}`)
  }

  /** The order of a page by its columns, of which the page may have been made a table with a name. */
  order(owner?: string): string {
    const before = owner === undefined ? '' : `${owner}.`
    const places = this.#query.sort.map(({ descending }, index) => `${before}s${index}${descending ? ' DESC' : ''}`)
    return [...places, `${before}key`].join(', ')
  }

  /** How many documents pass. */
  count(): Statement {
    return this.#statement(`SELECT count(*) AS total FROM ${this.#dialect.table} WHERE ${this.#filter()}`)
  }

  #statement(text: string): Statement {
    return { text, values: this.#values }
  }

  #filter(): string {
    const { prefix, where } = this.#query
    const conditions = ['tokens IS NOT NULL', `(expires IS NULL OR expires > ${this.#now})`]
    // `~` is above every character of a key.
    if (prefix !== '') conditions.push(`key >= ${this.#param(prefix)} AND key < ${this.#param(`${prefix}~`)}`)
    for (const { path, values } of where) conditions.push(this.#isOneOf(path, values))
    return conditions.join(' AND ')
  }

  #isOneOf(path: readonly string[], values: readonly QueryValue[]): string {
    const dialect = this.#dialect
    const tokens = values.map((value) => toToken(value) ?? lastToken)
    if (tokens.length === 0) return '1 = 0'
    const { longest = Infinity } = dialect
    if (this.#isRegular(path) && tokens.every((token) => token.length <= longest)) {
      return dialect.isOneOf(rising(dialect, path, true), this.#params(tokens))
    }
    const params = this.#params(tokens)
    const single = dialect.isOneOf(rising(dialect, path, false), params)
    return `CASE WHEN ${dialect.isList(path)} THEN ${dialect.hasElement(path, params)} ELSE ${single} END`
  }

  /** What holds for documents that share the first names of the order with the place, and are behind it in the next. */
  #behind(parting: number): string[] {
    const { sort, after } = this.#query
    const shared = sort.slice(0, parting).map((_, index) => `${this.#sortable(index)} = ${this.#placeParam(index)}`)
    if (parting === sort.length) return [...shared, `key > ${this.#param(after!.key)}`]
    const sign = sort[parting]!.descending ? '<' : '>'
    return [...shared, `${this.#sortable(parting)} ${sign} ${this.#placeParam(parting)}`]
  }

  #placeParam(index: number): string {
    const token = toToken(this.#query.after!.values[index] ?? null)
    const full = token ?? (this.#query.sort[index]!.descending ? firstToken : lastToken)
    return this.#param(full)
  }

  #sortable(index: number): string {
    const { path, descending } = this.#query.sort[index]!
    const placed = toToken(this.#query.after?.values[index] ?? null) ?? ''
    const isCut = this.#isRegular(path) && placed.length <= (this.#dialect.longest ?? Infinity)
    return (descending ? falling : rising)(this.#dialect, path, isCut)
  }

  #direction(index: number, expression: string): { expression: string; term: string } {
    const suffix = this.#query.sort[index]!.descending ? ' DESC' : ''
    return { expression, term: `${expression}${suffix}` }
  }

  #params(values: readonly string[]): string[] {
    return values.map((value) => this.#param(value))
  }

  #param(value: string | number): string {
    this.#values.push(value)
    return this.#dialect.placeholder(this.#values.length)
  }
}

/** A token in a rising order, null last. */
export function rising(dialect: QueryDialect, path: readonly string[], isCut: boolean): string {
  return cut(dialect, `coalesce(${dialect.token(path)}, '${lastToken}')`, isCut)
}

/** A token in a falling order, null last. */
export function falling(dialect: QueryDialect, path: readonly string[], isCut: boolean): string {
  return cut(dialect, `coalesce(${dialect.token(path)}, '${firstToken}')`, isCut)
}

function cut({ longest }: QueryDialect, expression: string, isCut: boolean): string {
  return isCut && longest !== undefined ? `substr(${expression}, 1, ${longest})` : expression
}

/**
 * Whether some document has a list or an overlong text at a path, so that its indexes alone do not tell all: a scalar
 * expression. Its order is of no use but to the planner, which then finds the one index that has it.
 */
export function irregularity(dialect: QueryDialect, path: readonly string[]): string {
  const { rank, condition } = irregular(dialect, path)
  return `(SELECT 1 FROM ${dialect.table} WHERE ${condition} ORDER BY ${rank} LIMIT 1) IS NOT NULL`
}

/** The indexes of one path: to find and to sort by it, to sort by it backwards, and the few documents that stand out. */
export function indexesOf(
  dialect: QueryDialect,
  path: readonly string[],
): ReadonlyArray<{ readonly suffix: string; readonly definition: string }> {
  const id = idOf(path)
  const { rank, condition } = irregular(dialect, path)
  return [
    { suffix: `up_${id}`, definition: `((${rising(dialect, path, true)}), key) WHERE tokens IS NOT NULL` },
    { suffix: `down_${id}`, definition: `((${falling(dialect, path, true)}) DESC, key) WHERE tokens IS NOT NULL` },
    { suffix: `odd_${id}`, definition: `((${rank})) WHERE ${condition}` },
  ]
}

function irregular(
  dialect: QueryDialect,
  path: readonly string[],
): { readonly rank: string; readonly condition: string } {
  const { longest } = dialect
  const long = longest === undefined ? [] : [`length(${dialect.token(path)}) > ${longest}`]
  const condition = ['tokens IS NOT NULL', `(${[dialect.isList(path), ...long].join(' OR ')})`].join(' AND ')
  return { rank: `'${idOf(path)}' || key`, condition }
}

function idOf(path: readonly string[]): string {
  return createHash('sha256').update(path.join('.')).digest('hex').slice(0, 10)
}
