import { peek } from '../../decode/peek.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { Bytes, DriftNote } from '../../core/format.js';
import { CsvBatch } from './csv-batch.js';
import { compileDialect } from './dialect.js';
import { joinHeader, readNames } from './header.js';
import { csvOptions, headerOf, type CsvOptions } from './options.js';
import { Records } from './records.js';
import { CANDIDATES, delimiterMark, sniffDialect } from './sniff.js';

/** What `delimiter: auto` looks at, as `encoding: auto` does. */
const SAMPLE = 2 ** 20;

export interface Settled {
  readonly bytes: Bytes;
  readonly options: CsvOptions;
  readonly drift: readonly DriftNote[];
}

/**
 * `delimiter: auto` made up by the beginning of the file. Excel's mark (`sep=;`) in its first line is obeyed and passed
 * over. A header under which every column of the contract is found
 * decides; else what makes records of equal width. Where neither speaks (one column, a file of one line) it is the
 * comma, and that is reported as drift.
 */
export async function settleDelimiter(
  bytes: Bytes,
  options: CsvOptions,
  contract: readonly ColumnSpec[] | null,
): Promise<Settled> {
  if (options.delimiter !== 'auto') return { bytes, options, drift: [] };
  const peeked = await peek(bytes, SAMPLE);
  const sample = peeked.head.subarray(0, SAMPLE);
  const mark = delimiterMark(sample);
  if (mark !== null && csvOptions.safeParse({ ...options, delimiter: mark }).success)
    return {
      bytes: peeked.bytes,
      options: { ...options, delimiter: mark, skip_lines: Math.max(1, options.skip_lines) },
      drift: [],
    };
  const named = await byHeader(sample, options, contract);
  if (named !== null) return { bytes: peeked.bytes, options: { ...options, delimiter: named }, drift: [] };
  const { quote, escape, comment, skip_lines: skipLines } = options;
  const found = await sniffDialect(sample, {
    whole: peeked.head.length < SAMPLE,
    fixed: { quote, comment, skipLines, keys: splittingKeys(options), ...(escape === undefined ? {} : { escape }) },
  });
  const settled = { bytes: peeked.bytes, options: { ...options, delimiter: found.delimiter } };
  if (found.sure && found.rival === null) return { ...settled, drift: [] };
  if (found.sure)
    return {
      ...settled,
      drift: [
        doubt(
          `delimiter: auto took ${JSON.stringify(found.delimiter)}; ${JSON.stringify(found.rival)} would do as well`,
        ),
      ],
    };
  // One column, or a file without content, has no delimiter to miss.
  if (found.width === 1 && found.share === 1) return { ...settled, drift: [] };
  return { ...settled, drift: [doubt('delimiter: auto found none that is convincing, and took ","')] };
}

/** Keys that say where a cell ends. */
const splittingKeys = (options: CsvOptions): Readonly<Record<string, unknown>> => ({
  quotes: options.quotes,
  quote_blanks: options.quote_blanks,
  escape_unquoted: options.escape_unquoted,
  excel_text: options.excel_text,
});

const doubt = (message: string): DriftNote => ({ kind: 'dialect', column: '', message });

/**
 * The one delimiter under which the first record holds every name that the contract reads; null when none does, or more
 * than one.
 */
async function byHeader(
  sample: Buffer,
  options: CsvOptions,
  contract: readonly ColumnSpec[] | null,
): Promise<string | null> {
  if (options.header === false || contract === null || contract.length < 2) return null;
  const wanted = contract.map((column) => column.from.filter((from) => typeof from === 'string').map(loose));
  const fitting: string[] = [];
  for (const delimiter of CANDIDATES) {
    if (
      !sample.includes(delimiter) ||
      [options.quote, options.comment, options.escape].some(
        (token) => typeof token === 'string' && (token.startsWith(delimiter) || delimiter.startsWith(token)),
      )
    )
      continue;
    const names = new Set((await namesUnder(sample, { ...options, delimiter })).map(loose));
    if (wanted.every((from) => from.length > 0 && from.some((name) => names.has(name)))) fitting.push(delimiter);
  }
  const [only, second] = fitting;
  return second === undefined ? (only ?? null) : null;
}

const loose = (name: string): string => name.normalize('NFC').trim().toLowerCase();

async function namesUnder(sample: Buffer, options: CsvOptions): Promise<string[]> {
  const records = new Records(once(sample), compileDialect(options), Math.max(64, sample.length));
  const batch = new CsvBatch(records.dialect, 1_024, 1);
  records.scanner.countEmptySurplus = true;
  try {
    await records.passMark();
    for (let line = 0; line < options.skip_lines; line++) if (!(await records.passLine())) break;
    const header = headerOf(options) ?? { rows: 1, names: null };
    const rows: string[][] = [];
    while (rows.length < header.rows) {
      if (!(await records.pull(batch, 1)) || batch.faults.length > 0 || !batch.clean || batch.cells[0]! > batch.width)
        return [];
      rows.push(readNames(batch));
    }
    return joinHeader(rows, header).columns.map((column) => column.name);
  } finally {
    await records.close();
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield bytes;
}
