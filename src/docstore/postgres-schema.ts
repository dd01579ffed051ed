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
  readonly bodies: string
  readonly revisions: string
  readonly lock: string
  readonly put: string
  readonly remove: string
  readonly reclaim: string
  /** The name of an index; it stands in the schema of its table. */
  readonly indexName: (suffix: string) => string
  readonly schema: string
  /** The space of this store's advisory locks, and the name of its channel. */
  readonly space: number
  readonly channel: string
}

const version = 1

/** Locks of keys: many enough that writers seldom meet, few enough for the shared memory of a batch. */
const lockSlots = 512

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
    bodies: name('_bodies'),
    revisions: name('_revisions'),
    lock: name('_lock_1'),
    put: name('_put_1'),
    remove: name('_delete_1'),
    reclaim: name('_reclaim_1'),
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
  const { rows } = await session.query(`SELECT version FROM ${layout.info}`)
  if (rows[0]?.version !== version) {
    throw new Error(
      `The tables of ${layout.documents} have version ${String(rows[0]?.version)}, this driver knows ${version}`,
    )
  }
  for (const { suffix, definition } of indexes) {
    const name = layout.indexName(suffix)
    if (await hasRelation(session, `"${layout.schema}"."${name}"`)) continue
    await session.query(`CREATE INDEX "${name}" ON ${layout.documents} ${definition}`)
  }
  // The planner knows nothing of an expression before.
  if (indexes.length > 0) await session.query(`ANALYZE ${layout.documents}`)
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
    'SELECT bool_and(to_regclass(name) IS NOT NULL) AS complete FROM unnest($1::text[]) AS name',
    [names],
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
${functions(layout)}`
}

const found = 'done boolean, c_rev bigint, c_type text, c_size bigint, c_modified bigint, c_expires bigint'

/**
 * A key is locked before the transaction has a number (an advisory lock gives it none): of two writers of a key the later
 * one then has the higher number, which is the order that the change feed goes by.
 */
function functions(layout: PostgresLayout): string {
  const { documents, unused, changes, revisions, lock, put, remove, reclaim, space } = layout
  const slot = `hashtext(k) & ${lockSlots - 1}`
  // What was acknowledged is on the disk, whatever the session says.
  const syncing = `IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;`
  const check = `
  ${syncing}
  PERFORM pg_advisory_xact_lock(${space}, ${slot});
  now_ms := ${clockOf('clock')};
  SELECT d.rev, d.type, d.size, d.modified, d.expires, d.body INTO old FROM ${documents} d WHERE d.key = k;
  known := FOUND;
  live := known AND (old.expires IS NULL OR old.expires > now_ms);
  IF NOT (CASE cond WHEN 'any' THEN true WHEN 'absent' THEN NOT live WHEN 'present' THEN live ELSE live AND old.rev = wanted END) THEN
    IF live THEN RETURN QUERY SELECT false, old.rev, old.type, old.size, old.modified, old.expires;
    ELSE RETURN QUERY SELECT false, NULL::bigint, NULL::text, NULL::bigint, NULL::bigint, NULL::bigint; END IF;
    RETURN;
  END IF;`
  const declarations = 'DECLARE now_ms bigint; old record; known boolean; live boolean;'
  return `
CREATE FUNCTION ${lock}(keys text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE slot integer;
BEGIN
  FOR slot IN SELECT DISTINCT ${slot} FROM unnest(keys) AS k ORDER BY 1 LOOP
    PERFORM pg_advisory_xact_lock(${space}, slot);
  END LOOP;
END $$;
CREATE FUNCTION ${put}(k text, cond text, wanted bigint, t text, n bigint, clock bigint, x bigint, c bytea, b bigint, j jsonb)
RETURNS TABLE (${found}) LANGUAGE plpgsql AS $$
${declarations} r bigint;
BEGIN${check}
  IF b IS NOT NULL THEN
    DELETE FROM ${unused} u WHERE u.body = b;
    IF NOT FOUND THEN RAISE EXCEPTION 'The write was held up for too long: what there was of its body has been removed'; END IF;
  END IF;
  r := nextval('${revisions}');
  INSERT INTO ${documents} AS d (key, rev, type, size, modified, expires, body, tokens, content)
    VALUES (k, r, t, n, now_ms, x, b, j, c)
    ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, type = excluded.type, size = excluded.size, modified = excluded.modified,
      expires = excluded.expires, body = excluded.body, tokens = excluded.tokens, content = excluded.content;
  IF old.body IS NOT NULL THEN INSERT INTO ${unused} (body) VALUES (old.body); END IF;
  INSERT INTO ${changes} (seq, op, key) VALUES (r, 'put', k);
  RETURN QUERY SELECT true, r, t, n, now_ms, x;
END $$;
CREATE FUNCTION ${remove}(k text, cond text, wanted bigint, clock bigint)
RETURNS TABLE (${found}) LANGUAGE plpgsql AS $$
${declarations}
BEGIN${check}
  IF NOT known THEN RETURN; END IF;
  DELETE FROM ${documents} d WHERE d.key = k;
  IF old.body IS NOT NULL THEN INSERT INTO ${unused} (body) VALUES (old.body); END IF;
  INSERT INTO ${changes} (seq, op, key) VALUES (nextval('${revisions}'), CASE WHEN live THEN 'delete' ELSE 'expire' END, k);
  IF live THEN RETURN QUERY SELECT true, old.rev, old.type, old.size, old.modified, old.expires; END IF;
END $$;
CREATE FUNCTION ${reclaim}(clock bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE now_ms bigint := ${clockOf('clock')}; k text; due text[] := '{}'; b bigint; freed bigint := 0;
BEGIN
  -- All locks first, and none that somebody else holds: nobody waits in a circle.
  FOR k IN SELECT d.key FROM ${documents} d WHERE d.expires <= now_ms ORDER BY d.expires LIMIT 200 LOOP
    IF pg_try_advisory_xact_lock(${space}, ${slot}) THEN due := due || k; END IF;
  END LOOP;
  FOREACH k IN ARRAY due LOOP
    DELETE FROM ${documents} d WHERE d.key = k AND d.expires <= now_ms RETURNING d.body INTO b;
    IF FOUND THEN
      IF b IS NOT NULL THEN INSERT INTO ${unused} (body) VALUES (b); END IF;
      INSERT INTO ${changes} (seq, op, key) VALUES (nextval('${revisions}'), 'expire', k);
      freed := freed + 1;
    END IF;
  END LOOP;
  RETURN freed;
END $$;`
}
