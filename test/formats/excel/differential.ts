import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import { zip } from '../../../src/decode/zip.js';
import { sheetRows } from '../../../src/formats/excel/sheet-rows.js';
import { openWorkbook } from '../../../src/formats/excel/workbook.js';
import { collect } from '../../decode/support.js';
import { chance } from '../../faults/support/chance.js';
import { bookOf, zipped, type BookParts } from './books.js';
import type { Openpyxl, Told } from './openpyxl.js';
import { damaged, rewritten } from './rewrite.js';

type Cells = Record<string, Told>;

const accessTo = (bytes: Buffer): Parameters<typeof openWorkbook>[0] => ({
  size: bytes.length,
  read: (into, position) => Promise.resolve(position >= bytes.length ? 0 : bytes.copy(into, 0, position)),
});

/** What our reader makes of the first sheet, in the words of the judge; a string = the error. */
async function ours(bytes: Buffer): Promise<Cells | string> {
  const cells: Cells = {};
  try {
    const workbook = await openWorkbook(accessTo(bytes), 1, { ratio: 10_000, bytes: 100e6 });
    for await (const row of sheetRows(workbook))
      for (const { column, text, bare } of row.cells)
        cells[`${row.number},${column}`] = bare ? [/^[tf]/.test(text) ? 'b' : 'n', text] : ['t', text];
    return cells;
  } catch (error) {
    if (error instanceof TallymanError && error.code !== 'INTERNAL') return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** Our cells as the judge tells the same: a moment is a text for us, and numbers are equal as doubles. */
function likened(cells: Cells, judged: Readonly<Cells>): Cells {
  return Object.fromEntries(
    Object.entries(cells).map(([at, told]): [string, Told] => {
      const other = judged[at];
      if (other === undefined) return [at, told];
      if (other[0] === 'd' && told[0] === 't') return [at, ['d', momentOf(told[1])]];
      if (other[0] === 'n' && told[0] === 'n' && same(told[1], other[1])) return [at, other];
      return [at, told];
    }),
  );
}

/** A duration goes through microseconds at the judge's. */
const same = (a: string, b: string): boolean =>
  Number(a) === Number(b) || Math.abs(Number(a) - Number(b)) < 1e-10 * Math.abs(Number(a));

function momentOf(text: string): string {
  const whole = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text;
  return whole.includes('.') ? whole : `${whole}.000`;
}

async function partsOf(bytes: Buffer): Promise<BookParts> {
  const members = await zip.members!(accessTo(bytes), () => true);
  const parts: Record<string, string> = {};
  for (const member of members) parts[member.name] = (await collect(member.open())).toString('utf8');
  return parts;
}

export interface Rounds {
  readonly seed: number;
  /** Workbooks of our own making; a fourth as many of openpyxl's are added. */
  readonly books: number;
  /** How often each is rewritten, and damaged. */
  readonly times: number;
}

export interface Held {
  readonly books: number;
  readonly cells: number;
  readonly rewritten: number;
  /** Rewritten ones that were refused. */
  readonly refused: number;
  readonly damaged: number;
}

/**
 * Workbooks read as openpyxl reads them; rewritten ones hold the same cells or are refused; damaged ones are refused,
 * never other cells. Throws what differs, with the seed.
 */
export async function heldAgainst(openpyxl: Openpyxl, { seed, books, times }: Rounds): Promise<Held> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-openpyxl-'));
  const held = { books: 0, cells: 0, rewritten: 0, refused: 0, damaged: 0 };
  try {
    const all: BookParts[] = Array.from({ length: books }, (_, i) => bookOf(chance(seed + i)));
    const files = all.map((parts, i) => {
      const file = path.join(dir, `book-${i}.xlsx`);
      writeFileSync(file, zipped(parts));
      return file;
    });
    for (const file of openpyxl.make(dir, Math.ceil(books / 4), seed)) {
      files.push(file);
      all.push(await partsOf(readFileSync(file)));
    }
    const judged = openpyxl.read(files);
    for (const [i, parts] of all.entries()) {
      const where = `seed ${seed}, workbook ${i}`;
      const { cells, error } = judged[i]!;
      const got = await ours(readFileSync(files[i]!));
      if (cells === undefined || typeof got === 'string')
        throw new Error(`${where}: openpyxl: ${error ?? 'read it'}; we: ${typeof got === 'string' ? got : 'read it'}`);
      expect(likened(got, cells), where).toEqual(cells);
      held.books++;
      held.cells += Object.keys(got).length;
      for (let time = 0; time < times; time++) {
        const lot = chance(seed + 1_000_003 * (i + 1) + time);
        const other = await ours(zipped(rewritten(parts, lot)));
        held.rewritten++;
        if (typeof other === 'string') {
          held.refused++;
          expect(other, `${where}, rewritten ${time}`).toMatch(/^FILE_CORRUPT: /);
        } else expect(other, `${where}, rewritten ${time}`).toEqual(got);
        const { parts: bad, how } = damaged(parts, lot);
        held.damaged++;
        const said = await ours(zipped(bad));
        expect(typeof said === 'string' ? said : 'read', `${where}, damaged ${time}: ${how}`).toMatch(
          /^(FILE_CORRUPT|FORMAT_MISMATCH): /,
        );
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return held;
}
