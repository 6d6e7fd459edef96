import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

test('a good file is loaded, receipt and rows in one transaction', async () => {
  const result = await bench.take('a.csv', 'id,name\n1,ann\n2,bob\n');
  expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 2, loaded: 2, quarantined: 0, skipped: 0, declared: null, delta: 0 } });
  expect(await bench.query('select _row, id, name from staging.t order by _row')).toEqual([
    { _row: '1', id: 1, name: 'ann' },
    { _row: '2', id: 2, name: 'bob' },
  ]);
});
