import { isUtf8 } from 'node:buffer';
import { ESCAPED, MISSING, NULL_CELL, QUOTED, type SpanBatch } from '../../core/batch.js';
import type { RecordReader } from '../../core/format.js';
import { CellReader } from '../../columns/rows/cell-reader.js';

/** Takes the cells of a sample one by one. */
export interface CellVisitor {
  /** A value: its text without quotes and escapes. `column` counts from 0. */
  cell(column: number, bytes: Buffer, start: number, end: number, quoted: boolean, line: number): void;
  /** NULL by the format, or not there. */
  absent(column: number): void;
}

/** What a sample was like beside its cells. */
export interface ReadCounts {
  /** Records that were taken. */
  rows: number;
  /** Records with too few cells, too many, or a fault of the format. */
  short: number;
  long: number;
  faults: number;
  /** Those of another width behind the last one that was taken: footers, perhaps. */
  behind: number;
  /** The first of those, for people. */
  firstBad: { readonly line: number; readonly message: string } | null;
  /** The very last record of the file, when it has another number of cells: perhaps a trailer. */
  trailer: string | null;
  /** The beginning of the very last record. */
  last: string;
}

export const noCounts = (): ReadCounts => ({
  rows: 0,
  short: 0,
  long: 0,
  faults: 0,
  behind: 0,
  firstBad: null,
  trailer: null,
  last: '',
});

export interface ReadPlan {
  /** Records that are no data: the header. */
  readonly skipRows: number;
  /** False: the sample ends in the middle of the file, and its last record may be cut. */
  readonly whole: boolean;
  readonly mostRows?: number;
}

/** A record of a trailer that is shown. */
const SHOWN = 200;

/**
 * Reads what the reader gives, and closes it. Records of another width are counted and not shown to the visitor, as a
 * load would refuse them.
 */
export async function readCells(
  reader: RecordReader,
  visitor: CellVisitor,
  plan: ReadPlan,
  counts: ReadCounts,
): Promise<void> {
  const cells = new CellReader();
  let left = plan.skipRows;
  let given = 0;
  // The last record is held back until it is known whether another one follows.
  try {
    for (;;) {
      const batch = await reader.next();
      if (batch?.kind !== 'spans') break;
      counts.last = rawOf(batch, batch.rows - 1);
      const passed = new Set(batch.faults.filter(({ skip }) => skip !== undefined).map(({ row }) => row));
      const faults = new Map(batch.faults.map((fault) => [fault.row, fault.message] as const));
      const width = Math.min(batch.width, reader.layout.fileColumns.length);
      for (let row = 0; row < batch.rows; row++) {
        if (left > 0) {
          left--;
          continue;
        }
        if (passed.has(row)) continue;
        const fault = faults.get(row);
        if (fault !== undefined) {
          // A quote that the end of the sample cut open: nothing behind it can be trusted.
          if (!plan.whole && fault.includes('never closed')) return;
          counts.faults++;
          counts.firstBad ??= { line: batch.lines[row]!, message: fault };
          continue;
        }
        if (batch.cells[row]! !== batch.width && misfit(batch, row, counts)) continue;
        counts.trailer = null;
        counts.behind = 0;
        if (!batch.clean && !isText(batch.bytes.subarray(batch.rowStarts[row], batch.rowEnds[row]))) {
          counts.faults++;
          counts.firstBad ??= { line: batch.lines[row]!, message: 'not valid in this encoding, or a NUL' };
          continue;
        }
        take(batch, row, width, cells, visitor);
        counts.rows++;
        if (++given === plan.mostRows) return;
      }
    }
  } catch (error) {
    // A sample that ends in the middle ends in the middle of a JSON array too.
    if (plan.whole || given === 0) throw error;
  } finally {
    await reader.close();
  }
}

function misfit(batch: SpanBatch, row: number, counts: ReadCounts): boolean {
  const found = batch.cells[row]!;
  if (found === batch.width) return false;
  if (found < batch.width) counts.short++;
  else counts.long++;
  counts.firstBad ??= { line: batch.lines[row]!, message: `${found} cells, not ${batch.width}` };
  counts.trailer = rawOf(batch, row);
  counts.behind++;
  return true;
}

const rawOf = (batch: SpanBatch, row: number): string =>
  batch.bytes.toString('utf8', batch.rowStarts[row], Math.min(batch.rowEnds[row]!, batch.rowStarts[row]! + SHOWN));

function take(batch: SpanBatch, row: number, width: number, cells: CellReader, visitor: CellVisitor): void {
  const first = row * batch.width;
  const line = batch.lines[row]!;
  for (let column = 0; column < width; column++) {
    const at = first + column;
    const flags = batch.flags[at]!;
    if ((flags & (NULL_CELL | MISSING)) !== 0) {
      visitor.absent(column);
    } else if ((flags & ESCAPED) === 0) {
      visitor.cell(column, batch.bytes, batch.starts[at]!, batch.ends[at]!, (flags & QUOTED) !== 0, line);
    } else {
      cells.read(batch, at);
      visitor.cell(column, cells.bytes, cells.start, cells.end, true, line);
    }
  }
}

const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !bytes.includes(0);

export async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  if (bytes.length > 0) yield bytes;
}
