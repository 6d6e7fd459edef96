import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cells, openText, read } from './helpers.js';

const MARK = '\uFEFF';

describe('a byte order mark inside of a file', () => {
  test('in front of a record is passed over, and told', async () => {
    const text = `${MARK}id,name\n1,a\n${MARK}id,name\n2,b\n${MARK}"3","c"\n`;
    const reader = await openText(text, { repeated_header: 'skip' });
    const rows = [];
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) rows.push(batch.rows);
    expect(reader.layout.drift).toContainEqual({
      kind: 'ignored',
      column: '',
      message: 'byte order marks in front of records: 2, passed over',
    });
    expect(await cells(text, {})).toEqual([
      ['1', 'a'],
      ['id', 'name'],
      ['2', 'b'],
      ['3', 'c'],
    ]);
  });

  test.each([MARK, `\n${MARK}`])(
    'a cell of a million of %j is read in time that grows with its length',
    async (piece) => {
      const cell = piece.repeat(1_000_000);
      expect(await cells(`id,v\n1,"${cell}"\n${MARK}2,x\n`, {})).toEqual([
        ['1', cell],
        ['2', 'x'],
      ]);
    },
  );

  test('within a cell is part of it, however the text is cut', async () => {
    const pieces = fc.constantFrom(MARK, 'a', ',', '\n', '"', '"', '\uFEFE', '\r\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieces, { maxLength: 30 }).map((all) => `x,y\n${all.join('')}`),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (text, chunks, window, batchRows) => {
          const strip = ({ raw, cells: own, fault }: Awaited<ReturnType<typeof read>>[number]): unknown => [
            raw,
            own,
            fault,
          ];
          const got = (await read(text, {}, { chunks, window, batchRows })).map(strip);
          // The same records without those marks, of which a first cell in quotes tells most.
          expect(got).toEqual((await read(text, {})).map(strip));
          expect(got.every((row) => !String((row as unknown[])[0]).startsWith(MARK))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
