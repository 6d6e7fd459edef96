import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FormatType, RecordReader } from '../../core/format.js';
import { noCounts, once, readCells, type CellVisitor, type ReadCounts } from './cells.js';
import { plainColumn } from '../../columns/plain-column.js';
import type { Table } from './table.js';
import type { SampledText } from './text.js';

/** Keys that are reported as columns; records with more are lists under another name. */
const MOST_KEYS = 5_000;

/** A sampled JSON file; null = it is none. Throws FORMAT_MISMATCH for JSON that holds no objects. */
export async function openJsonTable(json: FormatType, text: SampledText): Promise<Table | null> {
  const first = text.head.toString('utf8', 0, 65_536).trimStart().charAt(0);
  if (first !== '{' && first !== '[') return null;
  const chosen = await chosenOf(json, text);
  if (chosen === null) return null;
  if (chosen.rows === 0)
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `${text.sample.path} is JSON without objects: there are no columns in it.`,
      { fix: 'Ask the supplier for one object a line, or an array of objects.' },
    );
  const { options, shape, why } = chosen;
  const names = [...chosen.keys].filter((key) => key !== '' && !key.includes('\0'));
  const doubts = [
    ...why,
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
          await readPart(json, part, options, contract, visitor, counts, index === text.parts.length - 1);
      return counts;
    },
  };
}

/** Lines can be read from any line on. */
async function readPart(
  json: FormatType,
  part: Buffer,
  options: JsonKeys,
  contract: readonly ColumnSpec[],
  visitor: CellVisitor,
  counts: ReadCounts,
  last: boolean,
): Promise<void> {
  const from = part.indexOf(0x0a) + 1;
  const end = last ? part.length : part.lastIndexOf(0x0a) + 1;
  if (from === 0 || from >= end) return;
  await readCells(
    await open(json, part.subarray(from, end), { ...options, shape: 'lines' }, contract),
    visitor,
    { skipRows: 0, whole: last },
    counts,
  );
}

async function open(
  json: FormatType,
  bytes: Buffer,
  options: JsonKeys,
  contract: readonly ColumnSpec[] | null,
): Promise<RecordReader> {
  return await json.open(
    { bytes: once(bytes), path: null, contract, onUnknownColumn: 'ignore' },
    json.options.parse(options),
  );
}

/** Keys under `format:` beside the encoding. */
interface JsonKeys {
  readonly shape?: 'lines';
  readonly root?: string;
  readonly strict?: false;
}

interface Keys {
  readonly keys: ReadonlySet<string>;
  readonly rows: number;
  readonly faults: number;
  /** The first refused record, for people. */
  readonly firstBad: string | null;
  readonly shape: unknown;
}

interface Chosen extends Keys {
  readonly options: JsonKeys;
  /** Why each key, with the key in front. */
  readonly why: readonly string[];
}

/** How the records are read, so that as few as can be are refused; null = this is no JSON. */
async function chosenOf(json: FormatType, text: SampledText): Promise<Chosen | null> {
  const strict = await structureOf(json, text, {});
  const lines = looksLikeLines(text);
  if (strict !== null && strict.faults === 0) return strict;
  const loose = await structureOf(json, text, { strict: false });
  const asLines = lines ? await structureOf(json, text, { shape: 'lines' }) : null;
  const looseLines = lines ? await structureOf(json, text, { shape: 'lines', strict: false }) : null;
  const [best] = [strict, loose, asLines, looseLines]
    .filter((one) => one !== null)
    .sort((a, b) => b.rows - a.rows || a.faults - b.faults);
  if (best !== undefined && best.rows > 0) return best;
  if (!lines) return best ?? null;
  const first = looseLines?.firstBad ?? null;
  throw new TallymanError(
    'FORMAT_MISMATCH',
    `${text.sample.path} looks like JSON, one object a line, but none is valid JSON${first === null ? '' : `: ${first}`}.`,
    { fix: 'Ask the supplier for JSON: keys and texts in double quotes, no trailing commas, no comments.' },
  );
}

/** The same with the list or the object that the records stand in. */
async function structureOf(json: FormatType, text: SampledText, options: JsonKeys): Promise<Chosen | null> {
  const found = await keysOf(json, text, options);
  const why = [
    ...(options.strict === undefined || found === null
      ? []
      : ['strict: NaN, Infinity or control characters within strings, which are no JSON; they are read as texts']),
    ...(options.shape === undefined || found === null || found.faults === 0
      ? []
      : [
          `shape: one object a line, and ${found.faults} of ${found.rows + found.faults} are no JSON: ` +
            `these are refused (${found.firstBad ?? ''})`,
        ]),
  ];
  const plain = found === null ? null : { ...found, options, why };
  if (options.shape !== undefined || (found !== null && found.rows !== 1)) return plain;
  const root = rootOf(text) ?? '$values';
  const inside = await keysOf(json, text, { ...options, root });
  // One object with an array of objects in it: most likely the wrapping of a list. Objects under names: with two of
  // them and nothing else.
  if (inside === null || inside.rows < (root === '$values' || found !== null ? 2 : 1)) return plain;
  if (root === '$values' && (inside.faults > 0 || inside.keys.size > 2 * inside.least)) return plain;
  const told =
    root === '$values'
      ? 'root: the records are the values of one object, whose own keys are not read'
      : `root: the records stand in the array ${JSON.stringify(root)} of one object`;
  return { ...inside, options: { ...options, root }, why: [told, ...why] };
}

/** Most lines of the beginning are objects by their first and last characters. */
function looksLikeLines({ head, whole }: SampledText): boolean {
  const lines = head.toString('utf8', 0, 65_536).split('\n');
  if (!whole || head.length > 65_536) lines.pop();
  const filled = lines.map((line) => line.trim()).filter((line) => line !== '');
  const objects = filled.filter((line) => line.startsWith('{') && line.endsWith('}'));
  return filled.length > 0 && objects.length >= filled.length * 0.8;
}

/** The keys of all records of the head, in the order in which they are met; null = this is no JSON. */
async function keysOf(
  json: FormatType,
  text: SampledText,
  options: JsonKeys,
): Promise<(Keys & { readonly least: number }) | null> {
  const keys = new Set<string>();
  let least = Infinity;
  const counts = noCounts();
  try {
    const reader = await open(json, text.head, options, null);
    const { shape } = reader.dialect();
    const visitor: CellVisitor = {
      cell: (_column, bytes, start, end) => {
        least = Math.min(least, addKeys(bytes.toString('utf8', start, end), keys));
      },
      absent: () => undefined,
    };
    await readCells(reader, visitor, { skipRows: 0, whole: text.whole }, counts);
    // Most of it is no JSON: a text that only begins with a bracket.
    if (counts.faults > counts.rows + 1 && shape === 'lines' && options.shape === undefined) return null;
    const bad = counts.firstBad;
    return {
      keys,
      least,
      rows: counts.rows,
      faults: counts.faults,
      firstBad: bad === null ? null : `line ${bad.line}: ${bad.message}`,
      shape,
    };
  } catch (error) {
    if (error instanceof TallymanError && error.blame === 'file') return null;
    throw error;
  }
}

/** Returns how many keys the record has. */
function addKeys(record: string, keys: Set<string>): number {
  // The scanner has checked it by the same grammar.
  const value: unknown = JSON.parse(record);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 0;
  const own = Object.keys(value);
  for (const key of own) if (keys.size < MOST_KEYS) keys.add(key);
  return own.length;
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
