import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { DriftNote, FileColumn, Layout } from '../../core/format.js';
import { identityLayout, matchColumns } from '../match.js';
import { closeTree, KeyNode } from './key-tree.js';
import { parsePath } from './paths.js';
import type { Choice, RecordPlan } from './record-scanner.js';
import { MAX_DEPTH } from './values.js';

/** A column of the contract and the places in a record where its value may stand, in order of preference. */
interface Reading {
  readonly column: ColumnSpec;
  readonly nodes: KeyNode[];
  /** The JSON text is wanted: a string with its quotes. */
  readonly asText: boolean;
}

/** What the sample is read with: all places of the contract, no cells. */
export interface Draft {
  readonly tree: KeyNode;
  readonly readings: readonly Reading[];
}

/** How the file's records become rows. */
export interface Columns {
  readonly layout: Layout;
  /** Added to while reading. */
  readonly drift: DriftNote[];
  readonly plan: RecordPlan;
  readonly readings: readonly Reading[];
  readonly width: number;
  /** Cells behind the row's own. */
  readonly spare: number;
}

const IGNORED = 'not in the contract: ignored';

/** Without a contract: the whole record as one column. */
export function wholeRecord(): Columns {
  const layout = identityLayout([{ name: 'data', type: 'jsonb' }]);
  const drift: DriftNote[] = [];
  return {
    layout: { ...layout, drift },
    drift,
    plan: { tree: new KeyNode(), choices: [], whole: 0, columns: ['data'] },
    readings: [],
    width: 1,
    spare: 0,
  };
}

/** The places that the contract names. Throws CONTRACT_MISFIT for a position: JSON has none. */
export function draftOf(contract: readonly ColumnSpec[]): Draft {
  const tree = new KeyNode();
  const readings = contract.map((column) => {
    const names = column.from.filter((from) => typeof from === 'string');
    if (names.length === 0) {
      throw new TallymanError(
        'CONTRACT_MISFIT',
        `column ${column.name}: from: ${column.from.join(', ')} is a position, and JSON has keys.`,
        { fix: 'Name the key, or a path such as a.b or items[0].id.' },
      );
    }
    // `a.b` reaches inside only where no key is called so.
    const nodes = names.flatMap((name) => {
      const steps = parsePath(name);
      // A path deeper than any record can be meets nothing.
      return steps === null || steps.length >= MAX_DEPTH || (steps.length === 1 && steps[0] === name)
        ? [tree.key(name)]
        : [tree.key(name), tree.below(steps)];
    });
    return { column, nodes: [...new Set(nodes)], asText: column.type === 'json' || column.type === 'jsonb' };
  });
  return { tree, readings };
}

export const draftPlan = ({ tree }: Draft): RecordPlan => ({ tree, choices: [], whole: -1, columns: [] });

/**
 * Settles the cells once the sample has shown which keys there are. Columns that were not met take a key that differs
 * in case and surrounding space only, when that is unambiguous. Other keys become columns of the file unless they are
 * ignored.
 */
export function settleColumns({ tree, readings }: Draft, policy: FeedSpec['onUnknownColumn']): Columns {
  const drift: DriftNote[] = takeLoosely(tree, readings);
  const strangers = strangersOf(tree);
  const cells: { readonly name: string; readonly column: string }[] = [];
  const weights = new Map<KeyNode, number>();
  const weigh = (node: KeyNode): unknown => weights.set(node, (weights.get(node) ?? 0) + 1);
  const choices: { readonly cell: number; readonly reading: Reading }[] = [];
  const taken = new Map<string, number>();
  const ids = new Map<KeyNode, number>();
  const idOf = (node: KeyNode): number => ids.get(node) ?? ids.set(node, ids.size).size - 1;

  const cellOf = readings.map((reading) => {
    // Columns that read the same places share a cell.
    const same = `${reading.asText ? 'text' : 'value'} ${reading.nodes.map(idOf).join(' ')}`;
    const known = taken.get(same);
    if (known !== undefined) return known;
    const cell =
      cells.push({
        name: String(reading.column.from.find((from) => typeof from === 'string')),
        column: reading.column.name,
      }) - 1;
    taken.set(same, cell);
    reading.nodes.forEach(weigh);
    if (reading.nodes.length > 1) choices.push({ cell, reading });
    else setCell(reading.nodes[0]!, reading.asText, cell);
    return cell;
  });
  const known = cells.length;
  if (policy === 'ignore')
    drift.push(...strangers.map((name): DriftNote => ({ kind: 'ignored', column: name, message: IGNORED })));
  else for (const name of strangers) setCell(tree.key(name), false, cells.push({ name, column: name }) - 1);

  const width = cells.length;
  let next = width;
  const settled = choices.map(({ cell, reading }): Choice => ({
    cell,
    candidates: reading.nodes.map((node) => {
      if (cellAt(node, reading.asText) < 0) setCell(node, reading.asText, next++);
      return cellAt(node, reading.asText);
    }),
  }));
  const overlap = Math.max(1, closeTree(tree, weights));
  const fileColumns = cells.map(({ name }): FileColumn => ({ name, type: null }));
  const unknown = fileColumns.flatMap((_, cell) => (cell < known ? [] : [cell]));
  return {
    layout: { fileColumns, cellOf, unknown, missing: [], overlap, jsonCells: true, drift },
    drift,
    plan: { tree, choices: settled, whole: -1, columns: cells.map(({ column }) => column) },
    readings,
    width,
    spare: next - width,
  };
}

/** What was only met on the way, or never. */
export function lateNotes({ plan, readings, layout }: Columns): DriftNote[] {
  const noted = new Set(layout.drift.filter(({ kind }) => kind === 'ignored').map(({ column }) => column));
  const notes = strangersOf(plan.tree)
    .filter((name) => !noted.has(name))
    .map((name): DriftNote => ({ kind: 'ignored', column: name, message: IGNORED }));
  if (plan.tree.keys?.overflowed === true)
    notes.push({ kind: 'ignored', column: '...', message: 'more keys that are not in the contract: ignored' });
  for (const { key, repeated } of plan.tree.keys?.entries ?? []) {
    if (repeated > 0)
      notes.push({
        kind: 'ignored',
        column: key.toString(),
        message: `stands more than once in ${repeated} ${repeated === 1 ? 'record' : 'records'}: the last value counts`,
      });
  }
  for (const { column, nodes } of readings) {
    if (!nodes.some((node) => node.met))
      notes.push({ kind: 'missing', column: column.name, message: 'in no record: NULL or its default' });
  }
  return notes;
}

const cellAt = (node: KeyNode, asText: boolean): number => (asText ? node.text : node.value);

function setCell(node: KeyNode, asText: boolean, cell: number): void {
  if (asText) node.text = cell;
  else node.value = cell;
}

/** Top-level keys that nobody takes, in the order in which they were met. */
const strangersOf = (tree: KeyNode): string[] =>
  (tree.keys?.entries ?? []).filter(({ node }) => node === null).map(({ key }) => key.toString());

function takeLoosely(tree: KeyNode, readings: readonly Reading[]): DriftNote[] {
  const lonely = readings.filter(({ nodes }) => !nodes.some((node) => node.met));
  const strangers = strangersOf(tree);
  const { cellOf } = matchColumns(
    lonely.map(({ column }) => column),
    strangers.map((name) => ({ name, type: null })),
  );
  return lonely.flatMap(({ column, nodes }, index): DriftNote[] => {
    const name = strangers[cellOf[index]!];
    if (name === undefined) return [];
    nodes.push(tree.key(name));
    return [
      {
        kind: 'renamed',
        column: column.name,
        message: `key ${JSON.stringify(name)} was taken without regard to case and surrounding space`,
      },
    ];
  });
}
