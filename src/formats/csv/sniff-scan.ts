import { QUOTED } from '../../core/batch.js';
import { CsvBatch } from './csv-batch.js';
import { compileDialect } from './dialect.js';
import { csvOptions } from './options.js';
import { Records } from './records.js';

/** The part of a dialect that is tried out. */
export interface Trial {
  readonly delimiter: string;
  readonly quote: string | null;
  /** undefined = the quote itself, doubled. */
  readonly escape?: string | null | undefined;
  readonly comment: string | null;
  /** Physical lines that are passed over first. */
  readonly skipLines: number;
  /** Further keys of the format that are tried. */
  readonly keys?: Readonly<Record<string, unknown>>;
}

/** What a sample looks like under one dialect. */
export interface Scanned {
  readonly trial: Trial;
  /** Cells of each record, empty ones at its end included; records with a fault are left out. */
  readonly widths: readonly number[];
  /** Physical line on which each of them begins, from 1, skipped lines counted. */
  readonly lines: readonly number[];
  /** Bytes in which each of them stands. */
  readonly spans: readonly { readonly start: number; readonly end: number }[];
  /** Records whose quotes are at fault, and those that are too long. */
  readonly faults: number;
  /** Cells in quotes, among the first CELLS of each record. */
  readonly quoted: number;
  /** Records with such a cell. */
  readonly quotedRecords: number;
  /** Lines that were passed over as comments. */
  readonly comments: number;
  /** Physical lines on which records with a fault begin. */
  readonly faultLines: readonly number[];
  /** Of cells in quotes those that hold a quote which is not doubled (lenient quotes). */
  readonly unescaped: number;
}

/** Cells of a record that are looked at for quotes; all are counted. */
const CELLS = 64;

/**
 * Reads a sample with the real scanner. `whole`: nothing comes behind it; else its last record, which may be cut, is
 * left out.
 */
export async function scanSample(bytes: Buffer, whole: boolean, trial: Trial): Promise<Scanned> {
  const { delimiter, quote, escape, comment } = trial;
  const options = csvOptions.parse({
    delimiter,
    quote,
    ...(escape === undefined ? {} : { escape }),
    comment,
    ...trial.keys,
  });
  const records = new Records(once(bytes), compileDialect(options), Math.max(64, bytes.length));
  records.scanner.countEmptySurplus = true;
  const batch = new CsvBatch(records.dialect, CELLS, 4_096);
  const widths: number[] = [];
  const lines: number[] = [];
  const spans: { start: number; end: number }[] = [];
  let faults = 0;
  let quoted = 0;
  let quotedRecords = 0;
  let unescaped = 0;
  const faultLines: number[] = [];
  try {
    await records.passMark();
    for (let line = 0; line < trial.skipLines; line++) if (!(await records.passLine())) break;
    for (let firstRow = 1; await records.pull(batch, firstRow); firstRow += batch.rows) {
      const bad = new Set(batch.faults.map((fault) => fault.row));
      for (let row = 0; row < batch.rows; row++) {
        if (bad.has(row)) {
          faults++;
          faultLines.push(batch.lines[row]!);
          continue;
        }
        const width = batch.cells[row]!;
        widths.push(width);
        lines.push(batch.lines[row]!);
        spans.push({
          start: batch.offsets[row]!,
          end: batch.offsets[row]! + batch.rowEnds[row]! - batch.rowStarts[row]!,
        });
        const before = quoted;
        for (let cell = row * CELLS; cell < row * CELLS + Math.min(width, CELLS); cell++)
          if ((batch.flags[cell]! & QUOTED) !== 0) {
            quoted++;
            if (records.dialect.lenient && holdsSingle(batch, cell, records.dialect.quote)) unescaped++;
          }
        if (quoted > before) quotedRecords++;
      }
    }
  } finally {
    await records.close();
  }
  if (!whole && widths.length > 1) {
    widths.pop();
    lines.pop();
    spans.pop();
    // What the cut did to an open quote is no fault of the file.
    faults = Math.max(0, faults - 1);
  }
  return {
    trial,
    widths,
    lines,
    spans,
    faults,
    quoted,
    quotedRecords,
    comments: records.scanner.comments,
    faultLines,
    unescaped,
  };
}

/** A quote that is not doubled. */
function holdsSingle({ bytes, starts, ends }: CsvBatch, cell: number, quote: Buffer): boolean {
  const text = bytes.toString('latin1', starts[cell], ends[cell]);
  const token = quote.toString('latin1');
  return text.includes(token) && text.replaceAll(token + token, '').includes(token);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield bytes;
}
