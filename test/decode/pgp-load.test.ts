import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createMessage, encrypt, readPrivateKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { LoadResult } from '../../src/core/load.js';
import { DECODERS, FORMATS } from '../../src/registry.js';
import { column, feedOf, openBench, type Bench } from '../load/support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

let count = 0;
async function take(
  name: string,
  bytes: Buffer,
  change: Partial<FeedSpec>,
): Promise<{ readonly result: LoadResult; readonly table: string }> {
  const table = `t${++count}`;
  const feed = feedOf({ name: table, target: { ...feedOf().target, table }, ...change });
  return {
    result: await bench.load(bench.job(bench.put(name, bytes), feed), { formats: FORMATS, decoders: DECODERS }),
    table,
  };
}

describe('a PGP file', () => {
  const fixture = (name: string): Buffer => readFileSync(path.resolve(import.meta.dirname, '../../fixtures/pgp', name));
  const decrypt = {
    privateKeys: [fixture('receiver-private.asc').toString()],
    passphrase: null,
    verify: 'required',
    signers: [{ file: 's', key: fixture('sender-public.asc').toString() }],
  } as const;
  const csv = { format: { type: 'csv', options: {} }, columns: [column('id', 'integer'), column('name')], decrypt };

  test('is loaded, the receipt says who signed', async () => {
    const { result } = await take('a.csv.gpg', fixture('zip.gpg'), csv);
    expect(result).toMatchObject({
      outcome: 'loaded',
      dialect: { compression: 'pgp', pgp: 'signed by B1940F8C1B74A404' },
    });
  });

  const countOf = (table: string): Promise<unknown> => bench.query(`select count(*)::int as n from staging.${table}`);
  const large = async (): Promise<Buffer> => {
    const key = await readPrivateKey({ armoredKey: fixture('receiver-private.asc').toString() });
    const text = `id,name\n${Array.from({ length: 100_000 }, (_, i) => `${i},name ${i}\n`).join('')}`;
    const made: unknown = await encrypt({
      message: await createMessage({ text }),
      encryptionKeys: key.toPublic(),
      format: 'binary',
    });
    return Buffer.from(made as Uint8Array);
  };

  test('whose last bytes were changed leaves nothing, though its rows were on their way', async () => {
    const file = await large();
    const right = await take('b.csv.gpg', file, { ...csv, decrypt: { ...decrypt, verify: 'optional' } });
    expect([right.result.outcome, await countOf(right.table)]).toEqual(['loaded', [{ n: 100_000 }]]);
    const changed = Buffer.from(file);
    changed[changed.length - 5]! ^= 1;
    const { result, table } = await take('c.csv.gpg', changed, { ...csv, decrypt: { ...decrypt, verify: 'optional' } });
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'FILE_CORRUPT' } });
    expect(await countOf(table)).toEqual([{ n: 0 }]);
  });

  test('that nobody signed is rejected, and none of its rows is there', async () => {
    const { result, table } = await take('d.csv.gpg', await large(), csv);
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'SIGNATURE_WRONG' } });
    expect(await countOf(table)).toEqual([{ n: 0 }]);
  });

  test('for which the passphrase or key cannot be used stops the feed', async () => {
    const { result } = await take('e.csv.gpg', fixture('zip.gpg'), {
      ...csv,
      decrypt: {
        ...decrypt,
        privateKeys: ['-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n'],
      },
    });
    expect(result).toMatchObject({ outcome: 'misfit', error: { code: 'DECRYPT_KEY' } });
  });
});
