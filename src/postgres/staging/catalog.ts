import type { PgType } from '../../core/codec.js';
import { TallymanError } from '../../core/errors.js';
import type { TargetSpec } from '../../core/feed/target.js';
import { tableFingerprintSql, INSPECT_TABLE } from './catalog-query.js';
import type { Connection } from '../connect/connect.js';
import { displayName, qualified, quoteIdentifier, quoteLiteral } from '../connect/identifiers.js';
import { inTransaction } from '../connect/transaction.js';
import { flag, integer, isRow, list, rowList, text, type Row } from '../connect/result-rows.js';

/** A column of an existing table. */
export interface TargetColumn {
  readonly name: string;
  /** Domains resolved to their base type, typmod included. */
  readonly type: PgType;
  /** By the column or by its domain. */
  readonly notNull: boolean;
  /** A default, an identity, or its domain's default. */
  readonly hasDefault: boolean;
  /** GENERATED ALWAYS AS (...): COPY cannot write it. */
  readonly generated: boolean;
  /** Its domain has a CHECK. */
  readonly domainChecked: boolean;
}

/** A table that holds rows: the table itself, or a partition. */
export interface Leaf {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/** A staging table as the catalog shows it. Plain data. */
export interface TargetTable {
  readonly schema: string;
  readonly name: string;
  readonly oid: number;
  /** pg_class.relkind: r ordinary, p partitioned, v m f S c others (a misfit). */
  readonly relkind: string;
  /** Permanent, and so are all partitions; false = unlogged or temporary. */
  readonly permanent: boolean;
  /** Partitions that are foreign tables. */
  readonly foreignLeaves: readonly string[];
  /** Where rows stand, for the tail scan; one for an ordinary table. */
  readonly leaves: readonly Leaf[];
  readonly columns: readonly TargetColumn[];
  /** Row level security applies to our role here or on a partition. */
  readonly rowSecurity: boolean;
  /**
   * True when the catalog shows something that only PostgreSQL can refuse, whatever the contract: CHECK, unique,
   * exclusion, foreign key, trigger on INSERT, checked domain, partitions, generated columns, expression indexes. NOT
   * NULL depends on the contract: see refusesBeyond().
   */
  readonly onlyDatabaseCanRefuse: boolean;
  /** What these are, for messages: "check orders_amount_check". */
  readonly refusers: readonly string[];
  readonly hasUniqueOrExclusion: boolean;
  /** Enabled triggers of users, of any event: they may add and take rows. */
  readonly hasTriggers: boolean;
  /** Tables or partitions without replica identity whose deletes a publication publishes: none can be made. */
  readonly unidentified: readonly { readonly schema: string; readonly name: string }[];
  /** Rules ON INSERT: COPY passes them by. */
  readonly rules: readonly string[];
  /** A valid index that begins with _load_id, by method; null = none. */
  readonly loadIndex: 'brin' | 'btree' | null;
  readonly may: { readonly insert: boolean; readonly select: boolean; readonly delete: boolean };
  /** current_user, quoted for a GRANT. */
  readonly role: string;
  /** server_version_num, for example 150018. */
  readonly serverVersion: number;
  /** Compare with `fingerprintSql()` under a lock: equal = this description still holds. */
  readonly fingerprint: string;
}

/**
 * SQL (a scalar expression, no parameters) that returns the table's present fingerprint, or NULL when it is not there.
 */
export function fingerprintSql(schema: string, table: string): string {
  return tableFingerprintSql(`pg_catalog.to_regclass(${quoteLiteral(qualified(schema, table))})`);
}

/** The table, or null when there is none of that name. Throws what the driver throws. */
export async function inspectTable(connection: Connection, schema: string, table: string): Promise<TargetTable | null> {
  // Asked first: a change between the two shows as a fingerprint that no longer holds.
  const before = await connection.query(`SELECT ${fingerprintSql(schema, table)} AS fingerprint`);
  const fingerprint = before.rows[0]?.['fingerprint'];
  const { rows } = await connection.query(INSPECT_TABLE, [schema, table]);
  const row = rows[0];
  return row === undefined ? null : describe(row, schema, table, typeof fingerprint === 'string' ? fingerprint : '');
}

/**
 * Outside a transaction: a table that somebody holds (pg_partition_tree asks for a lock) is not waited for without end.
 */
export const lookAtTable = <T>(connection: Connection, look: () => Promise<T>): Promise<T> =>
  inTransaction(connection, 'snapshot', { lock_timeout: '10s', statement_timeout: '0' }, look);

/**
 * The feed's table. Throws CONTRACT_MISFIT where it is not there and the one that it was formerly is: it was renamed in
 * the config alone, and a new empty table would hide its rows.
 */
export async function inspectTarget(connection: Connection, target: TargetSpec): Promise<TargetTable | null> {
  const found = await inspectTable(connection, target.schema, target.table);
  if (found !== null) return found;
  for (const { schema, table } of target.formerly ?? []) {
    const { rows } = await connection.query('SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there', [
      qualified(schema, table),
    ]);
    if (rows[0]?.['there'] !== true) continue;
    const moves = [
      ...(schema === target.schema
        ? []
        : [`ALTER TABLE ${qualified(schema, table)} SET SCHEMA ${quoteIdentifier(target.schema)};`]),
      ...(table === target.table
        ? []
        : [`ALTER TABLE ${qualified(target.schema, table)} RENAME TO ${quoteIdentifier(target.table)};`]),
    ];
    throw new TallymanError(
      'CONTRACT_MISFIT',
      `The staging table ${displayName(target.schema, target.table)} is not there, and ` +
        `${displayName(schema, table)}, which it was formerly, still is. Run: ${moves.join(' ')}`,
      { fix: 'Run the ALTER in the message, or take target.formerly away.' },
    );
  }
  return null;
}

function describe(row: Row, schema: string, name: string, fingerprint: string): TargetTable {
  const leaves = rowList(row, 'leaves');
  const columns = rowList(row, 'columns').map(toColumn);
  const constraints = rowList(row, 'constraints');
  const triggers = rowList(row, 'triggers');
  const indexes = rowList(row, 'indexes');
  const relkind = text(row, 'relkind');
  const refusers = [
    ...(relkind === 'p' ? ['partitions'] : flag(row, 'is_partition') ? ['its partition bounds'] : []),
    ...constraints.map((k) => `${KINDS[text(k, 'kind')] ?? 'constraint'} ${text(k, 'name')}`),
    ...triggers.filter((t) => flag(t, 'on_insert')).map((t) => `trigger ${text(t, 'name')}`),
    ...indexes.filter((i) => flag(i, 'expression') || flag(i, 'unique')).map((i) => `index ${text(i, 'name')}`),
    ...columns.filter((c) => c.domainChecked).map((c) => `domain of column ${c.name}`),
    ...columns.filter((c) => c.generated).map((c) => `generated column ${c.name}`),
  ];
  return {
    schema,
    name,
    oid: integer(row, 'oid'),
    relkind,
    permanent: text(row, 'relpersistence') === 'p' && leaves.every((leaf) => text(leaf, 'relpersistence') === 'p'),
    foreignLeaves:
      relkind === 'p' ? leaves.filter((leaf) => text(leaf, 'relkind') === 'f').map((leaf) => text(leaf, 'name')) : [],
    leaves: leaves.map((leaf) => ({
      oid: integer(leaf, 'oid'),
      schema: text(leaf, 'schema'),
      name: text(leaf, 'name'),
    })),
    columns,
    rowSecurity: flag(row, 'row_security'),
    onlyDatabaseCanRefuse: refusers.length > 0,
    refusers,
    hasUniqueOrExclusion:
      constraints.some((k) => ['u', 'p', 'x'].includes(text(k, 'kind'))) || indexes.some((i) => flag(i, 'unique')),
    hasTriggers: triggers.length > 0,
    unidentified:
      row['unidentified'] === null
        ? []
        : rowList(row, 'unidentified').map((leaf) => ({ schema: text(leaf, 'schema'), name: text(leaf, 'name') })),
    rules: list(row, 'rules').map(String),
    loadIndex: loadIndexOf(indexes),
    may: {
      insert: flag(row, 'may_use') && flag(row, 'may_insert'),
      select: flag(row, 'may_use') && flag(row, 'may_select'),
      delete: flag(row, 'may_delete'),
    },
    role: text(row, 'role'),
    serverVersion: integer(row, 'server_version'),
    fingerprint,
  };
}

/** pg_constraint.contype in words. */
const KINDS: Readonly<Record<string, string>> = {
  c: 'check',
  u: 'unique',
  p: 'primary key',
  x: 'exclusion',
  f: 'foreign key',
};

function toColumn(row: Row): TargetColumn {
  const labels = row['enum_labels'];
  return {
    name: text(row, 'name'),
    type: {
      oid: integer(row, 'oid'),
      typname: text(row, 'typname'),
      typmod: integer(row, 'typmod'),
      formatted: text(row, 'formatted'),
      enumLabels: Array.isArray(labels) ? labels.map(String) : null,
      looseCollation: flag(row, 'loose_collation'),
    },
    notNull: flag(row, 'not_null'),
    hasDefault: flag(row, 'has_default'),
    generated: flag(row, 'generated'),
    domainChecked: flag(row, 'domain_checked'),
  };
}

function loadIndexOf(indexes: readonly Row[]): 'brin' | 'btree' | null {
  const methods = indexes
    .filter(
      (i) =>
        isRow(i) &&
        i['first_column'] === '_load_id' &&
        flag(i, 'valid') &&
        !flag(i, 'expression') &&
        !flag(i, 'on_leaf'),
    )
    .map((i) => text(i, 'method'));
  return methods.includes('btree') ? 'btree' : methods.includes('brin') ? 'brin' : null;
}
