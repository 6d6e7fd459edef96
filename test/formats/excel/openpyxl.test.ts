import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { heldAgainst } from './differential.js';
import { findOpenpyxl } from './openpyxl.js';

const { openpyxl, reason } = findOpenpyxl();
if (openpyxl === null) process.stderr.write(`${reason}\n`);

describe.skipIf(openpyxl === null)('held against openpyxl', () => {
  test('the same cells of any workbook; of a rewritten one too, or it is refused; a damaged one is refused', async () => {
    const held = await heldAgainst(openpyxl!, { seed: 20_261_130, books: 32, times: 4 });
    expect(held).toMatchObject({ books: 40, rewritten: 160, damaged: 160, refused: 0 });
    expect(held.cells).toBeGreaterThan(600);
  });
});
