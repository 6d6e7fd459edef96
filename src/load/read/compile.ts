import { codecFor } from '../../columns/types/index.js';
import { writtenAs } from '../../columns/as-contract.js';
import { compileColumn, type Column, type CopyMode } from '../../columns/column.js';
import { PLAIN_OPTIONS } from '../../columns/column-type.js';
import type { RescuePlan } from '../../columns/rows/rescue.js';
import type { EncoderPlan } from '../../columns/rows/row-encoder.js';
import { pgTypeNamed } from '../../columns/type-name.js';
import type { PgType } from '../../core/codec.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { Layout } from '../../core/format.js';
import { contractColumn, type StagingColumn } from '../../postgres/staging/staging-sql.js';
import { plainColumn } from '../../columns/plain-column.js';
import { RESCUE_COLUMN, type Agreement } from './agreement.js';
import type { UniqueKey } from '../unique/unique-losers.js';

/** Types without an order in SQL, by which equal values are found there: compared as text. */
const NO_ORDER = new Set(['json', 'xml', 'point', 'box', 'polygon', 'path', 'circle', 'line', 'lseg', 'jsonpath']);

/** How the rows of one file are written, without the numbers of one attempt. */
export interface RowPlan {
  readonly mode: CopyMode;
  readonly columns: readonly Column[];
  readonly rescue: RescuePlan | null;
  /** Names in the order of the tuple, lineage first. */
  readonly copied: readonly string[];
  readonly uniqueKeys: readonly (readonly number[])[];
  readonly keys: readonly UniqueKey[];
}

/** The columns that the staging table has to have for this file. */
export function stagingColumns(agreement: Agreement, feed: Pick<FeedSpec, 'columns'>): readonly StagingColumn[] {
  const contract = new Set(feed.columns);
  const columns = agreement.columns.map((spec) => {
    const { name, type, required } = spec;
    return contract.has(spec) ? contractColumn(spec) : { name, type, required };
  });
  return agreement.rescue === null ? columns : [...columns, { name: RESCUE_COLUMN, type: 'jsonb', required: false }];
}

/**
 * Compiles the columns for the types that `typeOf` returns: the real table's, or the contract's own in a dry run. One
 * type without binary codec makes it text COPY.
 */
export function compileRows(feed: FeedSpec, agreement: Agreement, typeOf: (name: string) => PgType | null): RowPlan {
  const rescueSpec = agreement.rescue === null ? null : plainColumn(RESCUE_COLUMN, RESCUE_COLUMN, 'jsonb');
  const read = agreement.columns.map((spec, i) => readAs(spec, agreement.fileTypes[agreement.cellOf[i]!] ?? null));
  const specs = rescueSpec === null ? read : [...read, rescueSpec];
  const reals = specs.map((spec) => typeOf(spec.name) ?? pgTypeNamed(spec.type) ?? TEXT);
  const types = specs.map((spec, i) => writtenAs(pgTypeNamed(spec.type), reals[i]!));
  /** Only PostgreSQL knows which values of the column are equal. */
  const isForeign = (i: number): boolean => codecFor(reals[i]!, PLAIN_OPTIONS) === null;
  const mode: CopyMode = types.every((type) => codecFor(type, PLAIN_OPTIONS) !== null) ? 'binary' : 'text';
  const compiled = specs.map((spec, i) => compileColumn(spec, types[i]!, feed.timezone, mode));
  const columns = compiled.slice(0, agreement.columns.length);
  const names = columns.map((column) => column.name);
  const uniqueKeys = [
    ...columns.flatMap((column, i) => (column.spec.unique ? [[i]] : [])),
    ...feed.unique.map((key) => key.map((name) => names.indexOf(name))),
  ];
  return {
    mode,
    columns,
    rescue:
      agreement.rescue === null
        ? null
        : {
            column: compiled.at(-1)!,
            cells: agreement.rescue.map(({ cell }) => cell),
            names: agreement.rescue.map(({ name }) => name),
            jsonCells: agreement.jsonCells === true,
          },
    copied: ['_load_id', '_row', ...specs.map((spec) => spec.name)],
    uniqueKeys,
    keys: uniqueKeys.map((key) => ({
      columns: key.map((i) => names[i]!),
      asText: new Set(key.filter((i) => NO_ORDER.has(reals[i]!.typname.replace(/^_/, ''))).map((i) => names[i]!)),
      foreign: new Set(key.filter(isForeign).map((i) => names[i]!)),
      inDatabase: key.some(
        (i) =>
          isForeign(i) ||
          reals[i]!.looseCollation === true ||
          // Blanks at the end of a char(n) say nothing, those of the text that it is written as do.
          (reals[i]!.typname === 'bpchar' && types[i]!.typname !== 'bpchar'),
      ),
    })),
  };
}

const TEMPORAL = /^(date|time|timestamp|timestamptz)\b/;
const NUMBER = /^(smallint|integer|bigint|numeric|real|double precision)\b/;

const PLAIN_NUMBERS = { decimal: '.', thousands: null, negative: null, currency: [], percent: null } as const;

/**
 * Values that have a type in the file are not written in anybody's manner: `format`, `decimal` and the like are for
 * texts. A number may still be a count of seconds (`format: epoch_s`).
 */
function readAs(spec: ColumnSpec, fileType: string | null): ColumnSpec {
  if (fileType === null) return spec;
  if (TEMPORAL.test(fileType)) return spec.formats.length === 0 ? spec : { ...spec, formats: [] };
  return NUMBER.test(fileType) ? { ...spec, ...PLAIN_NUMBERS } : spec;
}

/** The encoder's plan for one attempt. */
export function encoderPlan(
  layout: Layout,
  agreement: Agreement,
  plan: RowPlan,
  loadId: number,
  trackRows: boolean,
): EncoderPlan {
  return {
    mode: plan.mode,
    loadId,
    columns: plan.columns,
    cellOf: agreement.cellOf,
    overlap: layout.overlap ?? 1,
    fileColumns: layout.fileColumns.map((column) => column.name),
    shortRows: layout.shortRows ?? 'quarantine',
    rescue: plan.rescue,
    uniqueKeys: plan.uniqueKeys,
    trackRows,
  };
}

const TEXT: PgType = { oid: 25, typname: 'text', typmod: -1, formatted: 'text', enumLabels: null };
