import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FileColumn, Layout } from '../../core/format.js';
import { identityLayout, matchColumns } from '../match.js';
import { nameBytes } from './names.js';
import type { AvroRecord, AvroType } from './schema.js';

/** How a record is written: its fields in order, and which of them are cells of the row. */
export interface RecordPlan {
  readonly fields: readonly FieldPlan[];
}

export interface FieldPlan {
  /** `"name":` as JSON. */
  readonly key: Buffer;
  readonly type: AvroType;
  /** Index of the cell that the field is; -1 = none. */
  readonly cell: number;
  /** The cell is the value's JSON text, a string with its quotes: unions of several types that go to json or jsonb. */
  readonly whole: boolean;
  /** The field holds a record some of whose fields are cells. */
  readonly inside: RecordPlan | null;
}

export interface AvroColumns {
  readonly layout: Layout;
  readonly plan: RecordPlan;
  /** Cells of a row. */
  readonly width: number;
}

/**
 * The fields of the file's records as columns. `from: a.b` of the contract reaches into a record within the record
 * (also one that may be null), where no field is called `a.b`.
 */
export function columnsOf(record: AvroRecord, contract: readonly ColumnSpec[] | null): AvroColumns {
  const own = record.fields.map(({ name, type }): FileColumn => ({ name, type: columnType(type) }));
  if (contract === null)
    return {
      layout: identityLayout(own),
      plan: planOf(record, [], new Map(own.map(({ name }, cell) => [name, cell])), null),
      width: own.length,
    };

  const inner = pathsOf(record, contract);
  const layout = matchColumns(contract, [
    ...own,
    ...inner.map(({ path, type }): FileColumn => ({ name: path.join('.'), type: columnType(type) })),
  ]);
  const cells = new Map([
    ...own.map(({ name }, cell) => [name, cell] as const),
    ...inner.map(({ path }, i) => [key(path), own.length + i] as const),
  ]);
  // What was asked for by its path is no stranger, nor is the record around it.
  const reached = new Set(
    layout.cellOf.flatMap((cell) => (cell >= own.length ? [inner[cell - own.length]!.path[0]!] : [])),
  );
  const unknown = layout.unknown.filter((cell) => cell < own.length && !reached.has(own[cell]!.name));
  const whole = new Set(
    contract.flatMap(({ type }, index) => (type === 'json' || type === 'jsonb' ? [layout.cellOf[index]!] : [])),
  );
  const overlap = Math.max(1, ...inner.map(({ path }) => path.length));
  return {
    layout: { ...layout, unknown, overlap },
    plan: planOf(record, [], cells, whole),
    width: own.length + inner.length,
  };
}

/** Paths that the contract names, that lead to a field, and that no field has as its name. */
function pathsOf(
  record: AvroRecord,
  contract: readonly ColumnSpec[],
): { readonly path: readonly string[]; readonly type: AvroType }[] {
  const names = new Set(contract.flatMap(({ from }) => from.filter((one) => typeof one === 'string')));
  return [...names].flatMap((name) => {
    const path = name.split('.');
    if (path.length < 2 || record.fields.some((field) => field.name === name)) return [];
    let at: AvroType = record;
    for (const step of path) {
      const inside: AvroType = withoutNull(at);
      const next: AvroType | undefined =
        inside.kind === 'record' ? inside.fields.find((field) => field.name === step)?.type : undefined;
      if (next === undefined) return [];
      at = next;
    }
    return [{ path, type: at }];
  });
}

/** `whole`: cells that go to json or jsonb; null = there is no contract, and a mixed union is jsonb. */
function planOf(
  record: AvroRecord,
  path: readonly string[],
  cells: ReadonlyMap<string, number>,
  whole: ReadonlySet<number> | null,
): RecordPlan {
  return {
    fields: record.fields.map(({ name, type }): FieldPlan => {
      const here = [...path, name];
      const cell = cells.get(key(here)) ?? -1;
      const below = `${key(here)}\0`;
      const inner = withoutNull(type);
      const inside =
        inner.kind === 'record' && [...cells.keys()].some((one) => one.startsWith(below))
          ? planOf(inner, here, cells, whole)
          : null;
      return { key: nameBytes(name), type, cell, whole: isMixed(type) && (whole === null || whole.has(cell)), inside };
    }),
  };
}

/** A name of a field holds no NUL that matters: JSON would carry it, and then only such a path could meet it. */
const key = (path: readonly string[]): string => path.join('\0');

/** A union of null and one other type is that type, which may be null. */
export function withoutNull(type: AvroType): AvroType {
  if (type.kind !== 'union') return type;
  const others = type.branches.filter((branch) => branch.kind !== 'null');
  return others.length === 1 ? others[0]! : type;
}

const isMixed = (type: AvroType): boolean => withoutNull(type).kind === 'union';

/** The type that a column of this type gets without a contract, in the config's words. */
export function columnType(type: AvroType): string {
  const one = withoutNull(type);
  switch (one.kind) {
    case 'boolean':
    case 'uuid':
      return one.kind;
    case 'int':
      return one.logical === null ? 'integer' : one.logical === 'date' ? 'date' : 'time';
    case 'long':
      return one.logical === null
        ? 'bigint'
        : one.logical === 'time-micros'
          ? 'time'
          : one.logical.startsWith('local-')
            ? 'timestamp'
            : 'timestamptz';
    case 'float':
      return 'real';
    case 'double':
      return 'double precision';
    case 'bytes':
      return one.logical === null ? 'bytea' : numeric(one.logical);
    case 'fixed':
      return one.logical === null
        ? 'bytea'
        : one.logical === 'uuid'
          ? 'uuid'
          : one.logical === 'duration'
            ? 'text'
            : numeric(one.logical);
    case 'null':
    case 'string':
    case 'enum':
      return 'text';
    case 'array':
    case 'map':
    case 'record':
      return 'jsonb';
    case 'union':
      // Only nulls, or nothing at all.
      return one.branches.every((branch) => branch.kind === 'null') ? 'text' : 'jsonb';
  }
}

/** PostgreSQL's numeric has at most 1,000 digits by declaration. */
const numeric = ({ precision, scale }: { readonly precision: number; readonly scale: number }): string =>
  precision > 1_000 ? 'numeric' : `numeric(${precision},${scale})`;
