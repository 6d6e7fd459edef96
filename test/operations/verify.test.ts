import { describe, expect, test } from 'vitest';
import { verify } from '../../src/operations/verify.js';
import { receiptOf } from '../quarantine/support.js';
import { entryOf, feedsOf } from './support.js';

describe('verify', () => {
  const known = { loadKey: receiptOf().loadKey, loadId: 9, fileId: 42, status: 'loaded' as const };
  const partsOf = (present: number, receipts = [receiptOf()]): Parameters<typeof verify>[0] => ({
    ...feedsOf('orders'),
    ledger: () => ({
      instanceId: 'here',
      feeds: () => Promise.resolve([]),
      knownLoads: (after) => Promise.resolve(after < known.loadId ? [known] : []),
      newestLoad: () => Promise.resolve(known),
      byLoadId: () => Promise.resolve(entryOf(42)),
      byLoadKey: (key) => Promise.resolve(key === known.loadKey ? entryOf(42) : null),
    }),
    receipts: () =>
      Promise.resolve({
        databaseId: () => Promise.resolve('d'),
        byIds: () => Promise.resolve(receipts),
        after: (after) => Promise.resolve(receipts.filter(({ loadId }) => loadId > after)),
        liveCounts: () => Promise.resolve(receipts.map((receipt) => ({ receipt, target: 'staging.t', present }))),
      }),
  });
  const kindsOf = async (parts: Parameters<typeof verify>[0]): Promise<unknown> => {
    const { ok, differences } = await verify(parts);
    return [ok, differences.map(({ kind, file_id }) => [kind, file_id])];
  };

  test('is content when ledger, receipts and tables agree', async () => {
    expect(await kindsOf(partsOf(9))).toEqual([true, []]);
  });

  test('tells rows that are missing; rows that were all taken away are no fault', async () => {
    expect(await kindsOf(partsOf(8))).toEqual([false, [['rows-missing', 42]]]);
    expect(await kindsOf(partsOf(0))).toEqual([true, [['emptied', 42]]]);
  });

  test('tells rows that a load left behind when it was replaced, and a table that may have another name now', async () => {
    expect(await kindsOf(partsOf(3, [receiptOf({ status: 'superseded', loadKey: 'other' })]))).toMatchObject([
      false,
      [
        ['receipt-missing', 42],
        ['ledger-missing', null],
        ['rows-extra', 42],
      ],
    ]);
  });

  test('tells a load without receipt, a receipt without load, and one in another state', async () => {
    expect(await kindsOf(partsOf(9, []))).toEqual([false, [['receipt-missing', 42]]]);
    expect(await kindsOf(partsOf(9, [receiptOf({ status: 'cleared' })]))).toEqual([false, [['state-differs', 42]]]);
    const stranger = receiptOf({ loadId: 10, loadKey: 'other' });
    expect(await kindsOf(partsOf(9, [receiptOf(), stranger]))).toEqual([false, [['ledger-missing', null]]]);
  });
});
