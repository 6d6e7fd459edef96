import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FormatType, RecordReader } from '../../core/format.js';
import { noCounts, once, readCells, type CellVisitor, type ReadCounts } from './cells.js';
import { plainColumn } from '../../columns/plain-column.js';
import type { Table } from './table.js';
import type { SampledText } from './text.js';

/** Keys that are told as columns; records with more are lists under another name. */
const MOST_KEYS = 5_000;

/** A sampled JSON file; null = it is none. Throws FORMAT_MISMATCH for JSON that holds no objects. */
export async function openJsonTable(json: FormatType, text: SampledText): Promise<Table | null> {
  const first = text.head.toString('utf8', 0, 65_536).trimStart().charAt(0);
  if (first !== '{' && first !== '[') return null;
  const found = (await keysOf(json, text, {})) ?? null;
  const root = found === null || found.rows === 1 ? rootOf(text) : null;
  const inside = root === null ? null : await keysOf(json, text, { root });
  // One object with an array of objects in it: most likely the wrapping of a list.
  const chosen =
    inside !== null && inside.rows >= (found === null ? 1 : 2)
      ? { ...inside, options: { root } }
      : found === null
        ? null
        : { ...found, options: {} };
  if (chosen === null) return null;
  if (chosen.rows === 0)
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `${text.sample.path} is JSON without objects: there are no columns in it.`,
      { fix: 'Ask the supplier for one object a line, or an array of objects.' },
    );
  const { options, shape } = chosen;
  const names = [...chosen.keys].filter((key) => key !== '' && !key.includes('\0'));
  const doubts = [
    ...(options.root === undefined
      ? []
      : [`root: the records stand in the array ${JSON.stringify(options.root)} of one object`]),
    ...(names.length < chosen.keys.size ? ['a key without a name cannot be a column: it is left out'] : []),
  ];
  const contract = names.map((name) => plainColumn(name, name, 'text'));
  const written = { ...options, ...(text.encoding.label === 'utf-8' ? {} : { encoding: text.encoding.label }) };
  return {
    sample: text.sample,
    format: json.type,
    options: written,
    columns: names.map((name) => ({ name, type: null })),
    dataLine: null,
    described: [
      `JSON, ${shape === 'lines' ? 'one object a line' : shape === 'array' ? 'an array of objects' : 'objects one after another'}`,
      `encoding ${text.encoding.label}`,
    ],
    doubts: [...doubts, ...(text.encoding.doubt === null ? [] : [`encoding: ${text.encoding.doubt}`])],
    read: async (visitor) => {
      const counts = noCounts();
      await readCells(
        await open(json, text.head, options, contract),
        visitor,
        { skipRows: 0, whole: text.whole },
        counts,
      );
      if (shape === 'lines')
        for (const [index, part] of text.parts.entries())
          await readPart(json, part, contract, visitor, counts, index === text.parts.length - 1);
      return counts;
    },
  };
}

/** Lines can be read from any line on. */
async function readPart(
  json: FormatType,
  part: Buffer,
  contract: readonly ColumnSpec[],
  visitor: CellVisitor,
  counts: ReadCounts,
  last: boolean,
): Promise<void> {
  const from = part.indexOf(0x0a) + 1;
  const end = last ? part.length : part.lastIndexOf(0x0a) + 1;
  if (from === 0 || from >= end) return;
  await readCells(
    await open(json, part.subarray(from, end), { shape: 'lines' }, contract),
    visitor,
    { skipRows: 0, whole: last },
    counts,
  );
}

async function open(
  json: FormatType,
  bytes: Buffer,
  options: Record<string, unknown>,
  contract: readonly ColumnSpec[] | null,
): Promise<RecordReader> {
  return await json.open(
    { bytes: once(bytes), path: null, contract, onUnknownColumn: 'ignore' },
    json.options.parse(options),
  );
}

interface Keys {
  readonly keys: ReadonlySet<string>;
  readonly rows: number;
  readonly shape: unknown;
}

/** The keys of all records of the head, in the order in which they are met; null = this is no JSON. */
async function keysOf(json: FormatType, text: SampledText, options: Record<string, unknown>): Promise<Keys | null> {
  const keys = new Set<string>();
  const counts = noCounts();
  try {
    const reader = await open(json, text.head, options, null);
    const { shape } = reader.dialect();
    const visitor: CellVisitor = {
      cell: (_column, bytes, start, end) => addKeys(bytes.toString('utf8', start, end), keys),
      absent: () => undefined,
    };
    await readCells(reader, visitor, { skipRows: 0, whole: text.whole }, counts);
    // Most of it is no JSON: a text that only begins with a bracket.
    return counts.faults > counts.rows + 1 && shape === 'lines' ? null : { keys, rows: counts.rows, shape };
  } catch (error) {
    if (error instanceof TallymanError && error.blame === 'file') return null;
    throw error;
  }
}

function addKeys(record: string, keys: Set<string>): void {
  if (keys.size >= MOST_KEYS) return;
  // The scanner has checked it by the same grammar.
  const value: unknown = JSON.parse(record);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const key of Object.keys(value)) if (keys.size < MOST_KEYS) keys.add(key);
}

/**
 * The path to the first array of objects inside of the object that the text begins with; null = there is none. A glance
 * at the tokens: the sample may end anywhere.
 */
function rootOf({ head }: SampledText): string | null {
  const text = head.toString('utf8', 0, 1024 * 1024).trimStart();
  if (!text.startsWith('{')) return null;
  const path: string[] = [];
  let key = '';
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/gsu)) {
    if (token.endsWith(':')) {
      const quoted = token.replace(/\s*:$/, '');
      try {
        key = String(JSON.parse(quoted));
      } catch (error) {
        if (error instanceof SyntaxError) return null;
        throw error;
      }
    } else if (token === '{') path.push(key);
    else if (token === '}') path.pop();
    else if (token === '[') {
      if (!/^\[\s*\{/.test(text.slice(index, index + 100))) continue;
      const names = [...path.slice(1), key];
      if (names.every((name) => /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name))) return names.join('.');
      return null;
    }
    if (path.length > 4) return null;
  }
  return null;
}
