import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { heldAgainst } from '../formats/excel/differential.js';
import { findOpenpyxl } from '../formats/excel/openpyxl.js';
import { SEED } from './support/chance.js';
import { tell } from './support/counts.js';
import { FULL } from './support/report.js';

const BOOKS = FULL ? 1_200 : 24;
const { openpyxl, reason } = findOpenpyxl();
if (openpyxl === null) process.stderr.write(`${reason}\n`);

describe.skipIf(openpyxl === null)('workbooks', () => {
  test(
    'random ones are read as openpyxl reads them, rewritten ones the same, damaged ones not at all',
    async () => {
      const held = { books: 0, cells: 0, rewritten: 0, damaged: 0 };
      for (let i = 0; i < BOOKS / 24; i++) {
        const some = await heldAgainst(openpyxl!, { seed: SEED + i * 7_919, books: 24, times: 6 });
        held.books += some.books;
        held.cells += some.cells;
        held.rewritten += some.rewritten;
        held.damaged += some.damaged;
      }
      expect(held.cells).toBeGreaterThan(0);
      tell('Fuzzing', 'Excel against openpyxl: rewritten and damaged workbooks', held.rewritten + held.damaged, {
        files: held.books,
      });
    },
    30 * 60_000,
  );
});
