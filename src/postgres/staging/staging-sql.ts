import { parseTypeName } from '../../columns/type-name.js';
import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { TargetSpec } from '../../core/feed/target.js';
import type { ContractValues } from './room.js';
import { displayName, qualified, quoteIdentifier } from '../connect/identifiers.js';

/** A column that the feed writes, behind the two lineage columns. */
export interface StagingColumn {
  readonly name: string;
  /** The config's words. */
  readonly type: string;
  /** NOT NULL when the table is created. */
  readonly required: boolean;
  /**
   * What the contract says of its values beside the type: the table must take each of them as it is. Omitted = it is in
   * no contract: what the table does not take of it is refused row by row.
   */
  readonly values?: ContractValues;
}

/** The column of a contract, as the table must have room for it. */
export function contractColumn(spec: ColumnSpec): StagingColumn {
  const { name, type, required, min, max, minLength, maxLength, formats } = spec;
  return { name, type, required, values: { min, max, minLength, maxLength, formats, words: spec.enum } };
}

/**
 * The lineage columns, which stand first: counting by _load_id costs a third there of what it costs behind the texts.
 */
export const LOAD_ID = '_load_id';
export const ROW_NUMBER = '_row';

/** CREATE TABLE for a feed: lineage columns, then the contract's; NOT NULL where the contract says required. */
export function createTableSql(target: TargetSpec, columns: readonly StagingColumn[]): string {
  const lines = [
    `${quoteIdentifier(LOAD_ID)} bigint NOT NULL`,
    `${quoteIdentifier(ROW_NUMBER)} bigint NOT NULL`,
    ...columns.map((c) => `${columnSql(c)}${c.required ? ' NOT NULL' : ''}`),
  ];
  return `CREATE TABLE ${qualified(target.schema, target.table)} (\n  ${lines.join(',\n  ')}\n)`;
}

/**
 * `"name" type`. Throws CONTRACT_MISFIT for a type that is none: what stands in the config never becomes SQL unread.
 */
export function columnSql(column: StagingColumn): string {
  const type = parseTypeName(column.type);
  if (type === null)
    throw new TallymanError(
      'CONTRACT_MISFIT',
      `Column ${column.name}: a table cannot be created with the type ${JSON.stringify(column.type)}.`,
      { fix: 'Use a type that the config knows (docs/spec/rows-and-values.md), or create the table yourself.' },
    );
  return `${quoteIdentifier(column.name)} ${type.canonical}`;
}

/** The index on _load_id that target.load_index asks for; null = none. PostgreSQL names it. */
export function loadIndexSql(target: TargetSpec): string | null {
  return target.loadIndex === 'none'
    ? null
    : `CREATE INDEX ON ${qualified(target.schema, target.table)} USING ${target.loadIndex} (${quoteIdentifier(LOAD_ID)})`;
}

/**
 * The staging table as one script, for `tallyman ddl`. `columns` null = a feed without contract, whose columns come
 * from its first file.
 */
export function stagingSql(target: TargetSpec, columns: readonly StagingColumn[] | null): string {
  const head = `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(target.schema)};\n`;
  if (columns === null)
    return `${head}-- ${displayName(target.schema, target.table)}: made with the columns of the first file, all text.\n`;
  const index = loadIndexSql(target);
  return `${head}${createTableSql(target, columns)};\n${index === null ? '' : `${index};\n`}`;
}
