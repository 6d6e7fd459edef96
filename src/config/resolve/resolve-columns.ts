import { columnProblems } from '../../columns/column-problems.js';
import { parseTypeName, TYPE_WORDS } from '../../columns/type-name.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import { kindOf } from '../problems/schema-mistakes.js';
import { suggestion } from '../../base/text/nearest.js';
import type { Problems } from '../problems/problem-list.js';
import { columnShape, VALUE_KEYS, type ColumnInput } from '../schema/schema-column.js';
import { toPlain, type ConfigNode, type ListNode, type MapNode } from '../read/tree.js';
import { isMap, parseKeys } from '../schema/validate.js';
import { warnOfCase } from './case-only.js';
import { warnOfSlow } from './slow-expression.js';

/** Columns that every table has from tallyman, and those that PostgreSQL keeps for itself. */
const LINEAGE: ReadonlySet<string> = new Set(['_load_id', '_row']);
const SYSTEM: ReadonlySet<string> = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

export type ResolvedColumns =
  /** No contract: land what comes. */
  | { readonly kind: 'none' }
  /** `complete` is false when a column had a mistake: then `specs` and `names` hold the others. */
  | {
      readonly kind: 'list';
      readonly specs: readonly ColumnSpec[];
      readonly names: ReadonlySet<string>;
      readonly complete: boolean;
    };

/** `columns:` of a feed. */
export function resolveColumns(feed: MapNode, timezone: string, problems: Problems): ResolvedColumns {
  const node = feed.entries.get('columns');
  if (node === undefined || (node.kind === 'scalar' && (node.value === null || node.value === 'text')))
    return { kind: 'none' };
  if (node.kind !== 'list' || node.items.length === 0) {
    const message =
      node.kind === 'list'
        ? 'is an empty list.'
        : `must be a list of columns, or the word text, not ${node.kind === 'scalar' ? node.text : kindOf(toPlain(node))}.`;
    problems.at(node, [], 'WRONG_TYPE', message, 'Leave columns out to land every column of the file as text.');
    return { kind: 'list', specs: [], names: new Set(), complete: false };
  }
  const names = new Map<string, number>();
  const resolved = node.items.map((item, i) => resolveColumn(item, i, node, names, timezone, problems));
  const listed = [...names];
  warnOfCase(
    'column',
    listed.map(([name]) => name),
    node,
    (i) => [listed[i]![1], 'name'],
    problems,
  );
  const specs = resolved.filter((spec) => spec !== null);
  return { kind: 'list', specs, names: new Set(names.keys()), complete: specs.length === resolved.length };
}

function resolveColumn(
  item: ConfigNode,
  index: number,
  list: ListNode,
  names: Map<string, number>,
  timezone: string,
  problems: Problems,
): ColumnSpec | null {
  const before = problems.count;
  if (!isMap(item, problems)) return null;
  const input = parseKeys(columnShape, item, problems, [], VALUE_KEYS);
  checkName(input.name, index, list, names, problems);
  const type = input.type === undefined ? null : parseTypeName(input.type);
  if (input.type !== undefined && type === null) {
    problems.at(
      item,
      ['type'],
      'UNKNOWN_NAME',
      `${input.type} is no column type.`,
      suggestion(input.type.replace(/\(.*/, '').trim(), TYPE_WORDS, 'Types'),
    );
  }
  checkPairs(input, item, problems);
  if (problems.count > before || input.name === undefined || type === null) return null;
  const spec = specOf({ ...input, name: input.name }, type.canonical);
  for (const mistake of columnProblems(spec, timezone)) {
    // The message begins with the key it is about.
    const key = /^[a-z_]+/.exec(mistake)?.[0] ?? '';
    problems.at(item, item.entries.has(key) ? [key] : [], 'COLUMN_RULE', `${mistake}.`);
  }
  if (problems.count === before && spec.pattern !== null) warnOfSlow(spec.pattern, item, ['pattern'], problems);
  return problems.count > before ? null : spec;
}

function checkName(
  name: string | undefined,
  index: number,
  list: ListNode,
  names: Map<string, number>,
  problems: Problems,
): void {
  if (name === undefined) return;
  const first = names.get(name);
  if (first !== undefined)
    problems.at(
      list,
      [index, 'name'],
      'DUPLICATE_COLUMN',
      `column ${name} is there already, as number ${first + 1} of the list.`,
    );
  else names.set(name, index);
  if (LINEAGE.has(name))
    problems.at(
      list,
      [index, 'name'],
      'RESERVED_COLUMN',
      `${name} is written by tallyman itself.`,
      'Choose another name; from: keeps the header name.',
    );
  if (SYSTEM.has(name))
    problems.at(
      list,
      [index, 'name'],
      'RESERVED_COLUMN',
      `PostgreSQL keeps ${name} for itself.`,
      'Choose another name; from: keeps the header name.',
    );
}

function checkPairs(
  input: { readonly [K in keyof ColumnInput]?: ColumnInput[K] },
  item: MapNode,
  problems: Problems,
): void {
  const { decimal, thousands, min_length: least, max_length: most, start, width } = input;
  if (thousands !== undefined && thousands !== null && thousands === decimal)
    problems.at(item, ['thousands'], 'CONFLICT', 'decimal and thousands are the same sign.');
  if (least !== undefined && most !== undefined && least > most)
    problems.at(item, ['min_length'], 'CONFLICT', `min_length ${least} is greater than max_length ${most}.`);
  if ((start === undefined) !== (width === undefined))
    problems.at(item, [start === undefined ? 'width' : 'start'], 'CONFLICT', 'start and width belong together.');
}

function specOf(
  input: { readonly [K in keyof ColumnInput]?: ColumnInput[K] } & { readonly name: string },
  type: string,
): ColumnSpec {
  return {
    name: input.name,
    from: input.from ?? [input.name],
    type,
    required: input.required ?? false,
    unique: input.unique ?? false,
    default: input.default ?? null,
    trim: input.trim ?? false,
    formats: input.format ?? [],
    timezone: input.timezone ?? null,
    locale: input.locale ?? null,
    decimal: input.decimal ?? '.',
    thousands: input.thousands ?? null,
    negative: input.negative ?? null,
    currency: input.currency ?? [],
    percent: input.percent ?? null,
    round: input.round ?? false,
    trueValues: input.true_values ?? null,
    falseValues: input.false_values ?? null,
    min: input.min ?? null,
    max: input.max ?? null,
    minLength: input.min_length ?? null,
    maxLength: input.max_length ?? null,
    pattern: input.pattern ?? null,
    enum: input.enum ?? null,
    start: input.start ?? null,
    width: input.width ?? null,
  };
}
