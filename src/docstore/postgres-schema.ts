import { createHash } from 'node:crypto'
import { indexesOf, type QueryDialect } from './query-sql'
import { toMemberName } from './query-tokens'
import { Sequence } from './sequence'

/** What the migration asks of a connection that is in a transaction. */
export interface PostgresSession {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: ReadonlyArray<Record<string, unknown>> }>
}

/** Names of all that belongs to one store. */
export interface PostgresLayout {
  readonly documents: string
  readonly chunks: string
  readonly unused: string
  readonly changes: string
  readonly info: string
  readonly counts: string
  readonly bodies: string
  readonly revisions: string
  readonly write: string
  readonly reclaim: string
  /** Functions of earlier versions. */
  readonly former: readonly string[]
  /** The name of an index; it stands in the schema of its table. */
  readonly indexName: (suffix: string) => string
  readonly schema: string
  /** The space of this store's advisory locks, and the name of its channel. */
  readonly space: number
  readonly channel: string
}

/** What the first look at a database has found. */
export interface PostgresOpened {
  readonly layout: PostgresLayout
  /** Tells the revisions of these tables from those of tables that had the same name. */
  readonly epoch: string
}

/** What a statement needs to know of the moment it is sent in. */
export interface PostgresMoment {
  readonly open: () => Promise<PostgresOpened>
  /** The time in milliseconds, or nothing for that of the server. */
  readonly clock: () => number | null
}

const version = 2

/** Locks of keys: many enough that writers seldom meet, few enough for the shared memory of a batch. */
const lockSlots = 512

/** Rows that the number of documents is made of, so that writers seldom wait for one another to change it. */
const countSlots = 64

/** The time in milliseconds by the clock of the server, or by the one that the first parameter of a call gives. */
export function clockOf(parameter: string): string {
  return `coalesce(${parameter}::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)`
}

/** @param table checked already */
export function layoutOf(schema: string, table: string): PostgresLayout {
  const name = (suffix: string): string => `"${schema}"."${table}${suffix}"`
  const digest = createHash('sha256').update(`${schema}.${table}`).digest()
  return {
    schema,
    documents: name(''),
    chunks: name('_chunks'),
    unused: name('_unused'),
    changes: name('_changes'),
    info: name('_info'),
    counts: name('_counts'),
    bodies: name('_bodies'),
    revisions: name('_revisions'),
    write: name('_write_2'),
    reclaim: name('_reclaim_2'),
    former: ['_lock_1', '_put_1', '_delete_1', '_reclaim_1'].map(name),
    indexName: (suffix) => `${table}_${suffix}`,
    space: digest.readInt32BE(),
    channel: `kumu_${digest.toString('hex', 0, 8)}`,
  }
}

/** How PostgreSQL says what queries need. */
export function postgresDialect({ documents }: Pick<PostgresLayout, 'documents'>): QueryDialect {
  return {
    table: documents,
    token: (path) =>
      `(CASE jsonb_typeof(tokens #> ${pathOf(path)}) WHEN 'string' THEN tokens #>> ${pathOf(path)} END) COLLATE "C"`,
    isList: (path) => `coalesce(jsonb_typeof(tokens #> ${pathOf(path)}) = 'array', false)`,
    hasElement: (path, tokens) => `(tokens #> ${pathOf(path)}) ?| ARRAY[${tokens.join(', ')}]::text[]`,
    isOneOf: (expression, tokens) =>
      tokens.length === 1
        ? `${expression} = ${tokens[0]!}`
        : `${expression} = ANY (ARRAY[${tokens.join(', ')}]::text[])`,
    placeholder: (position) => `$${position}`,
    // An entry of an index takes 2,704 bytes: these characters in four bytes each, and the key.
    longest: 500,
  }
}

function pathOf(path: readonly string[]): string {
  return `'{${path.map(toMemberName).join(',')}}'`
}

/**
 * Makes the tables, functions and indexes that are missing. Any number of processes may do so at once: they wait for one
 * another. Called inside a transaction.
 *
 * @throws Error where the tables are of a later version
 */
export async function prepareSchema(
  session: PostgresSession,
  layout: PostgresLayout,
  index: ReadonlyArray<readonly string[]>,
): Promise<void> {
  const indexes = index.flatMap((path) => indexesOf(postgresDialect(layout), path))
  if (await isPrepared(session, layout, indexes)) return forgetForeignFeed(session, layout)
  await session.query('SELECT pg_advisory_xact_lock($1, -1)', [layout.space])
  if (!(await hasRelation(session, layout.info))) {
    await session.query(tables(layout))
    await session.query(`INSERT INTO ${layout.info} (version, epoch) VALUES ($1, $2)`, [
      version,
      Sequence.createEpoch(),
    ])
  }
  await countDocuments(session, layout)
  const { rows } = await session.query(`SELECT version FROM ${layout.info}`)
  if (rows[0]?.version !== version) {
    throw new Error(
      `The tables of ${layout.documents} have version ${String(rows[0]?.version)}, this driver knows ${version}`,
    )
  }
  await session.query(functions(layout))
  for (const { suffix, definition } of indexes) {
    const name = layout.indexName(suffix)
    if (await hasRelation(session, `"${layout.schema}"."${name}"`)) continue
    await session.query(`CREATE INDEX "${name}" ON ${layout.documents} ${definition}`)
  }
  // The planner knows nothing of an expression before.
  if (indexes.length > 0) await session.query(`ANALYZE ${layout.documents}`)
}

/** In tables of the first version nobody has counted the documents that take part in queries. Their functions do not. */
async function countDocuments(session: PostgresSession, layout: PostgresLayout): Promise<void> {
  const { rows } = await session.query(`SELECT version FROM ${layout.info}`)
  if (rows[0]?.version !== 1) return
  await session.query(`LOCK TABLE ${layout.documents} IN SHARE ROW EXCLUSIVE MODE`)
  await session.query(countTable(layout))
  await session.query(`UPDATE ${layout.counts} SET number = (
    SELECT count(*) FROM ${layout.documents} WHERE tokens IS NOT NULL) WHERE slot = 0`)
  for (const name of layout.former) await session.query(`DROP FUNCTION IF EXISTS ${name}`)
  await session.query(`UPDATE ${layout.info} SET version = ${version}`)
}

function countTable({ counts }: PostgresLayout): string {
  return `
CREATE TABLE ${counts} (slot integer PRIMARY KEY, number bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO ${counts} SELECT slot, 0 FROM generate_series(0, ${countSlots - 1}) AS slot;`
}

/** In tables that were restored into another server, the transactions of the feed have numbers that are yet to come. */
async function forgetForeignFeed(session: PostgresSession, { changes, info }: PostgresLayout): Promise<void> {
  const foreign = `xid >= pg_snapshot_xmax(pg_current_snapshot())`
  const { rows } = await session.query(`SELECT EXISTS (SELECT 1 FROM ${changes} WHERE ${foreign}) AS found`)
  if (rows[0]?.found !== true) return
  await session.query(`DELETE FROM ${changes}`)
  await session.query(`UPDATE ${info} SET epoch = $1, trimmed_xid = '0', trimmed_seq = 0`, [Sequence.createEpoch()])
}

async function isPrepared(
  session: PostgresSession,
  layout: PostgresLayout,
  indexes: ReadonlyArray<{ readonly suffix: string }>,
): Promise<boolean> {
  const names = [layout.info, ...indexes.map(({ suffix }) => `"${layout.schema}"."${layout.indexName(suffix)}"`)]
  const { rows } = await session.query(
    'SELECT bool_and(to_regclass(name) IS NOT NULL) AND to_regproc($2) IS NOT NULL AS complete FROM unnest($1::text[]) AS name',
    [names, layout.write],
  )
  if (rows[0]?.complete !== true) return false
  const info = await session.query(`SELECT version FROM ${layout.info}`)
  return info.rows[0]?.version === version
}

async function hasRelation(session: PostgresSession, name: string): Promise<boolean> {
  const { rows } = await session.query('SELECT to_regclass($1) IS NOT NULL AS found', [name])
  return rows[0]?.found === true
}

function tables(layout: PostgresLayout): string {
  const { documents, chunks, unused, changes, info, bodies, revisions } = layout
  return `
CREATE SEQUENCE ${revisions};
CREATE SEQUENCE ${bodies};
CREATE TABLE ${documents} (
  key text COLLATE "C" PRIMARY KEY, rev bigint NOT NULL, type text NOT NULL, size bigint NOT NULL, modified bigint NOT NULL,
  expires bigint, body bigint, tokens jsonb, content bytea);
ALTER TABLE ${documents} ALTER content SET STORAGE EXTERNAL;
CREATE INDEX ON ${documents} (expires) WHERE expires IS NOT NULL;
CREATE TABLE ${chunks} (body bigint, number integer, bytes bytea NOT NULL, PRIMARY KEY (body, number));
ALTER TABLE ${chunks} ALTER bytes SET STORAGE EXTERNAL;
CREATE TABLE ${unused} (body bigint PRIMARY KEY, since timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE ${changes} (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(), seq bigint NOT NULL, op text NOT NULL, key text NOT NULL,
  PRIMARY KEY (xid, seq));
CREATE TABLE ${info} (
  version integer NOT NULL, epoch text NOT NULL, trimmed_xid xid8 NOT NULL DEFAULT '0', trimmed_seq bigint NOT NULL DEFAULT 0);
${countTable(layout)}`
}

/**
 * A key is locked before the transaction has a number (an advisory lock gives it none): of two writers of a key the later
 * one then has the higher number, which is the order that the change feed goes by.
 *
 * Statements in functions are planned once a connection, maybe while the table is as good as empty: no plan that reads all
 * of it may be chosen then.
 */
function functions(layout: PostgresLayout): string {
  const { documents, unused, changes, counts, revisions, write, reclaim, space } = layout
  const countSlot = `pg_backend_pid() & ${countSlots - 1}`
  const slot = `hashtext(k) & ${lockSlots - 1}`
  const holds = `CASE a.cond WHEN 'any' THEN true WHEN 'absent' THEN NOT l.live WHEN 'present' THEN l.live ELSE l.live AND d.rev = a.wanted END`
  return `
CREATE OR REPLACE FUNCTION ${write}(keys text[], conds text[], revs bigint[], types text[], sizes bigint[], expiries bigint[], bodies bigint[],
  offsets integer[], contents bytea, tokens jsonb, whole boolean, clock bigint)
RETURNS TABLE (done boolean, live boolean, written bigint, now_ms bigint, c_rev bigint, c_type text, c_size bigint, c_modified bigint, c_expires bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE time_ms bigint; staged bigint[];
BEGIN
  -- What was acknowledged is on the disk, whatever the session says.
  IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
  -- In one order for everybody: nobody waits in a circle.
  PERFORM pg_advisory_xact_lock(${space}, s.slot) FROM (SELECT DISTINCT ${slot} AS slot FROM unnest(keys) AS k ORDER BY 1) AS s;
  time_ms := ${clockOf('clock')};
  staged := array_remove(bodies, NULL);
  IF cardinality(staged) > 0 THEN
    PERFORM 1 FROM ${unused} u WHERE u.body = ANY (staged) FOR UPDATE;
    IF (SELECT count(*) FROM ${unused} u WHERE u.body = ANY (staged)) < cardinality(staged) THEN
      RAISE EXCEPTION 'The write was held up for too long: what there was of its body has been removed';
    END IF;
  END IF;
  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT a.*, d.rev AS o_rev, d.type AS o_type, d.size AS o_size, d.modified AS o_modified, d.expires AS o_expires, d.body AS o_body,
      d.rev IS NOT NULL AS known, coalesce(d.counted, false) AS counted, l.live AS live, ${holds} AS holds
    FROM unnest(keys, conds, revs, types, sizes, expiries, bodies, offsets) WITH ORDINALITY AS a(k, cond, wanted, t, n, x, b, o, place)
    LEFT JOIN LATERAL (
      SELECT rev, type, size, modified, expires, body, tokens IS NOT NULL AS counted FROM ${documents} WHERE key = a.k LIMIT 1) AS d ON true
    CROSS JOIN LATERAL (SELECT d.rev IS NOT NULL AND (d.expires IS NULL OR d.expires > time_ms) AS live) AS l),
  going AS MATERIALIZED (
    SELECT *, nextval('${revisions}') AS r, nullif(tokens -> (place - 1)::integer, 'null') AS j FROM asked
    WHERE holds AND (t IS NOT NULL OR known) AND (NOT whole OR NOT EXISTS (SELECT 1 FROM asked WHERE NOT holds))),
  stored AS (
    INSERT INTO ${documents} AS d (key, rev, type, size, modified, expires, body, tokens, content)
      SELECT k, r, t, n, time_ms, x, b, j,
        CASE WHEN b IS NULL THEN substring(contents FROM o + 1 FOR n::integer) END
      FROM going WHERE t IS NOT NULL
      ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, type = excluded.type, size = excluded.size, modified = excluded.modified,
        expires = excluded.expires, body = excluded.body, tokens = excluded.tokens, content = excluded.content),
  removed AS (DELETE FROM ${documents} WHERE key = ANY (ARRAY(SELECT k COLLATE "C" FROM going WHERE t IS NULL))),
  taken AS (DELETE FROM ${unused} WHERE body = ANY (ARRAY(SELECT b FROM going WHERE b IS NOT NULL))),
  counting AS (
    UPDATE ${counts} SET number = number + m.more
    FROM (SELECT count(*) FILTER (WHERE j IS NOT NULL) - count(*) FILTER (WHERE counted) AS more FROM going) AS m
    WHERE slot = ${countSlot} AND m.more <> 0),
  freed AS (INSERT INTO ${unused} (body) SELECT o_body FROM going WHERE o_body IS NOT NULL),
  logged AS (
    INSERT INTO ${changes} (seq, op, key)
      SELECT r, CASE WHEN t IS NOT NULL THEN 'put' WHEN live THEN 'delete' ELSE 'expire' END, k FROM going)
  SELECT a.holds, a.live, g.r, time_ms, c.o_rev, c.o_type, c.o_size, c.o_modified, c.o_expires
  FROM asked a LEFT JOIN going g ON g.place = a.place
  LEFT JOIN LATERAL (SELECT a.o_rev, a.o_type, a.o_size, a.o_modified, a.o_expires WHERE a.live AND NOT a.holds) AS c ON true
  ORDER BY a.place;
END $$;
CREATE OR REPLACE FUNCTION ${reclaim}(clock bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE now_ms bigint := ${clockOf('clock')}; k text; due text[] := '{}'; b bigint; counted boolean;
  freed bigint := 0; less bigint := 0;
BEGIN
  -- All locks first, and none that somebody else holds: nobody waits in a circle.
  FOR k IN SELECT d.key FROM ${documents} d WHERE d.expires <= now_ms ORDER BY d.expires LIMIT 200 LOOP
    IF pg_try_advisory_xact_lock(${space}, ${slot}) THEN due := due || k; END IF;
  END LOOP;
  FOREACH k IN ARRAY due LOOP
    DELETE FROM ${documents} d WHERE d.key = k AND d.expires <= now_ms RETURNING d.body, d.tokens IS NOT NULL INTO b, counted;
    IF FOUND THEN
      IF b IS NOT NULL THEN INSERT INTO ${unused} (body) VALUES (b); END IF;
      INSERT INTO ${changes} (seq, op, key) VALUES (nextval('${revisions}'), 'expire', k);
      freed := freed + 1;
      IF counted THEN less := less + 1; END IF;
    END IF;
  END LOOP;
  IF less > 0 THEN UPDATE ${counts} SET number = number - less WHERE slot = ${countSlot}; END IF;
  RETURN freed;
END $$;`
}
