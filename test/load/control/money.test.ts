import { utils, write } from '@e965/xlsx';
import { afterAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../../src/core/feed/feed.js';
import { column } from '../support.js';
import { check, controlOf, removeDir } from './support.js';

afterAll(removeDir);

const CELLS = ['108.94', '(2493.62)', '$1,234.50', '12.00-', '7.5%', '5 kg'];
const money = column('amount', 'numeric(12,2)', {
  thousands: ',',
  negative: ['minus', 'parentheses', 'trailing_minus'],
  currency: ['$'],
  percent: 'keep',
  min: '-3000',
});
const feed = (type: string, options: object, change: Partial<FeedSpec> = {}): Partial<FeedSpec> => ({
  format: { type, options: { ...options } },
  columns: [column('id', 'integer'), money],
  ...change,
});

describe('amounts as people write them', () => {
  test.each<[string, string | Buffer, Partial<FeedSpec>]>([
    ['a.csv', `id,amount\n${CELLS.map((cell, i) => `${i},"${cell}"`).join('\n')}\n`, feed('csv', {})],
    ['a.ndjson', CELLS.map((amount, id) => `${JSON.stringify({ id, amount })}\n`).join(''), feed('json', {})],
    [
      'a.txt',
      CELLS.map((cell, i) => `${i} ${cell.padStart(12)}\n`).join(''),
      feed(
        'fixed',
        {},
        {
          columns: [column('id', 'integer', { start: 1, width: 1 }), { ...money, start: 3, width: 12 }],
        },
      ),
    ],
    [
      'a.xlsx',
      write(
        {
          SheetNames: ['s'],
          Sheets: { s: utils.aoa_to_sheet([['id', 'amount'], ...CELLS.map((cell, i) => [i, cell]), [9, -5.25]]) },
        },
        { type: 'buffer', bookType: 'xlsx' },
      ) as Buffer,
      feed('excel', {}),
    ],
  ])('load from %s, what is none is refused', async (name, content, spec) => {
    const result = await check(
      content,
      { ...spec, limits: { badRows: 1, badRatio: null, minRows: 0, databaseRows: 1 } },
      {},
      name,
    );
    expect(result).toMatchObject({ error: null, rows: { loaded: name === 'a.xlsx' ? 6 : 5, quarantined: 1 } });
  });

  test('are what a control total adds up, itself written so or plain', async () => {
    const content = (total: string): string => `id,amount\n1,"($1,000.50)"\n2,300.00-\n3,50%\nTRL,3,${total}\n`;
    const spec = feed(
      'csv',
      {},
      {
        control: controlOf({ trailer: '^TRL,(?<rows>\\d+),(?<total>.+)', totals: { amount: 'total' } }),
      },
    );
    for (const total of ['(1250.50)', '-$1250.5', '-1250.50'])
      expect(await check(content(total), spec)).toMatchObject({ error: null, rows: { loaded: 3 } });
    expect(await check(content('1250.50'), spec)).toMatchObject({ error: { code: 'TOTALS_MISMATCH' } });
  });

  test('are held against min as numbers', async () => {
    expect(await check('id,amount\n1,"($3,000.01)"\n2,5\n', feed('csv', {}))).toMatchObject({
      rows: { loaded: 1, quarantined: 1 },
    });
  });
});
