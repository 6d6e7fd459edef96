import { ALGORITHMS, type ControlSpec, type SaidKeys } from '../../core/feed/control.js';
import type { FormatType } from '../../core/format.js';
import { suggestion } from '../../base/text/nearest.js';
import type { Problems } from '../problems/problem-list.js';
import type { ResolvedColumns } from './resolve-columns.js';
import { templateProblem, type ResolvedSource } from './resolve-source.js';
import type { FeedInput } from '../schema/schema-feed.js';
import type { MapNode } from '../read/tree.js';
import { warnOfSlow } from './slow-expression.js';

type Control = FeedInput['control'];

interface Around {
  /** null after a mistake of its own. */
  readonly source: ResolvedSource | null;
  readonly format: { readonly part: FormatType; readonly options: Readonly<Record<string, unknown>> } | null;
  readonly columns: ResolvedColumns;
  readonly feed: MapNode;
}

/** `control` of a feed against the rest of it. */
export function checkControl(control: Control, around: Around, problems: Problems): void {
  if (control === undefined) return;
  const { source, format, feed } = around;
  const wrong = (key: string, message: string, hint: string): void =>
    problems.at(feed, ['control', key], 'CONFLICT', message, hint);
  for (const key of ['header', 'trailer'] as const) {
    if (control[key] !== undefined && format !== null && format.part.text(format.options) === null)
      wrong(key, `a ${format.part.type} file has no text records.`, 'Take the numbers from a control file: manifest.');
    if (control[key] !== undefined) warnOfSlow(control[key], feed, ['control', key], problems);
    if (control[key] !== undefined && groupsIn(control[key]).length === 0) {
      problems.warn(
        feed,
        ['control', key],
        'NO_EFFECT',
        'it has no named group, so that nothing is compared.',
        'Write for example (?<rows>\\d+).',
      );
    }
  }
  if (control.manifest !== undefined && source !== null && source.spec.ready.kind !== 'manifest') {
    wrong('manifest', 'no manifest is named.', 'Say where it stands: source.ready: { manifest: "{stem}.json" }.');
  }
  if (control.metadata !== undefined && source !== null && source.part.hasMetadata !== true)
    wrong('metadata', `a ${source.part.type} source keeps no metadata with its files.`, 'Only s3 does.');
  if (control.checksum !== undefined) checkTemplate(control.checksum, around, problems);
  checkTotals(control, around, problems);
}

/** Types of columns that can be added up: numbers, and texts that may hold some. */
const SUMMED = /^(?:smallint|integer|bigint|numeric|real|double precision|text|varchar|char)\b/;

function checkTemplate(template: string, { source, feed }: Around, problems: Problems): void {
  const mistake = templateProblem(template);
  if (mistake !== null) problems.at(feed, ['control', 'checksum'], 'BAD_VALUE', mistake);
  const ready = source?.spec.ready;
  if (ready !== undefined && ready.kind !== 'always' && ready.template === template)
    problems.at(
      feed,
      ['control', 'checksum'],
      'CONFLICT',
      `source.ready names the same file as ${ready.kind}.`,
      'The checksum file is waited for by itself: source.ready can be left out.',
    );
}

function checkTotals(control: NonNullable<Control>, { source, columns, feed }: Around, problems: Problems): void {
  const groups = new Set([...groupsIn(control.header), ...groupsIn(control.trailer)]);
  // Their keys are known only when a file comes.
  const open = control.metadata !== undefined || source?.spec.ready.kind === 'manifest';
  for (const [column, name] of Object.entries(control.totals)) {
    const at = ['control', 'totals', column];
    if (columns.kind === 'list' && !columns.names.has(column))
      problems.at(
        feed,
        at,
        'UNKNOWN_NAME',
        `there is no column ${column}.`,
        suggestion(column, [...columns.names], 'Columns'),
      );
    const type = columns.kind === 'list' ? columns.specs.find((spec) => spec.name === column)?.type : undefined;
    if (type !== undefined && !SUMMED.test(type))
      problems.at(feed, at, 'CONFLICT', `column ${column} is of type ${type}, which has no sum.`);
    if (!open && !groups.has(name))
      problems.at(
        feed,
        at,
        'CONFLICT',
        `nothing says ${name}: it is no group of header or trailer, and there is no manifest.`,
      );
  }
}

const groupsIn = (pattern: string | undefined): readonly string[] =>
  [...(pattern ?? '').matchAll(/\(\?<([^=!>][^>]*)>/g)].map((match) => match[1]!);

export function controlOf(control: Control): ControlSpec | null {
  if (control === undefined) return null;
  const { header = null, trailer = null, checksum = null } = control;
  return {
    header,
    trailer,
    rowsOffset: control.rows_offset,
    manifest: keysOf(control.manifest),
    metadata: keysOf(control.metadata),
    checksum,
    totals: control.totals,
  };
}

function keysOf(said: NonNullable<Control>['manifest']): SaidKeys | null {
  if (said === undefined) return null;
  const digests = ALGORITHMS.flatMap((algorithm) => {
    const key = said[algorithm];
    return key === undefined ? [] : [{ algorithm, key }];
  });
  return { rows: said.rows ?? null, digests };
}
