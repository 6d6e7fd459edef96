import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  armor,
  createMessage,
  encrypt,
  enums,
  generateKey,
  readPrivateKey,
  sign,
  type PartialConfig,
  type PrivateKey,
} from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DecryptSpec } from '../../src/core/feed/input.js';
import { collect, decode, open, problem, zipOf } from './support.js';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures/pgp');
const fixture = (name: string): Buffer => readFileSync(path.join(FIXTURES, name));

interface Pair {
  readonly secret: string;
  readonly open: PrivateKey;
  readonly publicText: string;
}

async function pair(
  name: string,
  options: { readonly passphrase?: string; readonly date?: Date; readonly keyExpirationTime?: number } = {},
): Promise<Pair> {
  const { privateKey, publicKey } = await generateKey({
    type: 'curve25519',
    userIDs: [{ name }],
    format: 'armored',
    ...options,
  });
  const key = await readPrivateKey({ armoredKey: privateKey });
  return { secret: privateKey, open: key, publicText: publicKey };
}

let receiver: Pair;
let locked: Pair;
let sender: Pair;
let stranger: Pair;
let expired: Pair;
const DAY = 86_400_000;
beforeAll(async () => {
  [receiver, locked, sender, stranger, expired] = await Promise.all([
    pair('receiver', { date: new Date(Date.now() - 60 * DAY) }),
    pair('locked', { passphrase: 'open sesame' }),
    pair('sender'),
    pair('stranger'),
    pair('expired', { date: new Date(Date.now() - 30 * DAY), keyExpirationTime: 10 * 86_400 }),
  ]);
});

const spec = (change: Partial<DecryptSpec> = {}): DecryptSpec => ({
  privateKeys: [receiver.secret],
  passphrase: null,
  verify: 'optional',
  signers: [],
  ...change,
});
const signedBy = (...keys: readonly Pair[]): Partial<DecryptSpec> => ({
  signers: keys.map(({ publicText }, i) => ({ file: `${i}.asc`, key: publicText })),
});

interface Making {
  readonly to?: Pair;
  readonly by?: Pair;
  readonly date?: Date;
  readonly config?: PartialConfig;
}

async function make(content: Buffer | string, { to = receiver, by, date, config }: Making = {}): Promise<Buffer> {
  const message = await createMessage({ binary: Buffer.from(content) });
  const made: unknown = await encrypt({
    message,
    encryptionKeys: to.open.toPublic(),
    format: 'binary',
    ...(by === undefined ? {} : { signingKeys: by.open }),
    ...(date === undefined ? {} : { date }),
    ...(config === undefined ? {} : { config }),
  });
  return Buffer.from(made as Uint8Array);
}

const armored = async (binary: Buffer): Promise<Buffer> =>
  Buffer.from(await Promise.resolve(armor(enums.armor.message, binary)));
const csv = `id,name\n${Array.from({ length: 3000 }, (_, i) => `${i},${(i * 7919).toString(36)}\n`).join('')}`;
const told = async (
  bytes: Buffer,
  change: Partial<DecryptSpec> = {},
  setting: Parameters<typeof decode>[1] = {},
): Promise<string> => await problem(() => decode(bytes, { decrypt: spec(change), ...setting }));

describe('an encrypted file', () => {
  test.each<[string, PartialConfig]>([
    ['as gpg makes it (CFB with MDC)', { aeadProtect: false }],
    ['with AEAD', { aeadProtect: true }],
    ['compressed by zlib', { aeadProtect: false, preferredCompressionAlgorithm: enums.compression.zlib }],
    ['with AEAD, compressed by zip', { aeadProtect: true, preferredCompressionAlgorithm: enums.compression.zip }],
  ])('%s is decrypted, one byte at a time too', async (_name, config) => {
    const file = await make(csv, { config });
    for (const chunk of [file.length, 1000, 1])
      expect((await decode(file, { decrypt: spec(), chunk })).toString()).toBe(csv);
  });

  test('in armor, which may be cut anywhere', async () => {
    const file = await armored(await make(csv));
    for (const chunk of [file.length, 997, 1])
      expect((await decode(file, { decrypt: spec(), chunk })).toString()).toBe(csv);
  });

  test.each(['zip', 'zlib', 'bzip2', 'none'])(
    'made by gpg 2.2 for an RSA key, signed, compressed by %s',
    async (compression) => {
      const decrypt = spec({
        privateKeys: [fixture('receiver-private.asc').toString()],
        verify: 'required',
        signers: [{ file: 'sender-public.asc', key: fixture('sender-public.asc').toString() }],
      });
      const decoded = await open(fixture(`${compression}.gpg`), { decrypt, chunk: 100 });
      if (decoded.kind !== 'stream') throw new Error('an archive');
      expect((await collect(decoded.bytes)).equals(fixture('plain.csv'))).toBe(true);
      expect(decoded.signed?.()).toBe('signed by B1940F8C1B74A404');
    },
  );

  test('made by gpg in armor', async () => {
    expect(
      (
        await decode(fixture('unsigned.asc'), {
          decrypt: spec({ privateKeys: [fixture('receiver-private.asc').toString()] }),
        })
      ).equals(fixture('plain.csv')),
    ).toBe(true);
  });

  test('with gzip inside is unpacked, and says both', async () => {
    const decoded = await open(await make(gzipSync(csv)), { decrypt: spec(), name: 'a.csv.gz.pgp' });
    if (decoded.kind !== 'stream') throw new Error('an archive');
    expect([decoded.compression, (await collect(decoded.bytes)).toString()]).toEqual(['pgp+gzip', csv]);
  });

  test('for a locked key, with its passphrase', async () => {
    expect(
      (
        await decode(await make(csv, { to: locked }), {
          decrypt: spec({ privateKeys: [receiver.secret, locked.secret], passphrase: 'open sesame' }),
        })
      ).toString(),
    ).toBe(csv);
  });

  test('of no bytes inside is an empty file', async () => {
    expect(await decode(await make(''), { decrypt: spec() })).toHaveLength(0);
  });

  test('in another encoding', async () => {
    expect(
      (
        await decode(await make(Buffer.from('\uFEFFid\né\n', 'utf16le')), { decrypt: spec(), encoding: 'auto' })
      ).toString(),
    ).toBe('id\né\n');
  });
});

describe('what cannot be decrypted', () => {
  test('for another key: DECRYPT_FAILED with both keys', async () => {
    expect(await told(await make(csv, { to: stranger }))).toMatch(
      /^DECRYPT_FAILED: The PGP file is encrypted for key [0-9A-F]{16}; the private keys of the feed: key [0-9A-F]{16}, [0-9A-F]{16}\.$/,
    );
  });

  test('with a password only: DECRYPT_FAILED', async () => {
    expect(await told(fixture('sym.gpg'))).toBe(
      'DECRYPT_FAILED: The PGP file is encrypted with a password, not for a key.',
    );
  });

  test('only signed: FORMAT_MISMATCH, also in armor', async () => {
    expect(await told(fixture('signed.gpg'))).toBe(
      'FORMAT_MISMATCH: The feed says decrypt; the PGP file is signed or compressed, but not encrypted.',
    );
    const message: unknown = await sign({ message: await createMessage({ text: csv }), signingKeys: sender.open });
    expect(await told(Buffer.from(String(message)))).toMatch(/^FORMAT_MISMATCH: .* not encrypted/);
  });

  test('plain text: FORMAT_MISMATCH, whoever put it there', async () => {
    expect(await told(Buffer.from(csv))).toBe('FORMAT_MISMATCH: The feed says decrypt; the file is no PGP message.');
    expect(await told(gzipSync(csv))).toBe('FORMAT_MISMATCH: The feed says decrypt; the file is gzip.');
  });

  test('no bytes: EMPTY_NOT_ALLOWED', async () => {
    expect(await told(Buffer.alloc(0))).toMatch(/^EMPTY_NOT_ALLOWED/);
  });

  test('a wrong or missing passphrase: DECRYPT_KEY, which stops the feed and blames no file', async () => {
    const file = await make(csv, { to: locked });
    expect(await told(file, { privateKeys: [locked.secret], passphrase: 'open barley' })).toMatch(
      /^DECRYPT_KEY: decrypt\.passphrase does not unlock the private key [0-9A-F]{16}\.$/,
    );
    expect(await told(file, { privateKeys: [locked.secret] })).toMatch(
      /^DECRYPT_KEY: .* is locked, and there is no decrypt\.passphrase\.$/,
    );
  });

  test('a key that is none: DECRYPT_KEY, without the text of the key', async () => {
    const said = await told(await make(csv), {
      privateKeys: [`-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nc2VjcmV0IHRleHQ=\n-----END PGP PRIVATE KEY BLOCK-----\n`],
    });
    expect(said).toMatch(/^DECRYPT_KEY: /);
    expect(said).not.toMatch(/c2VjcmV0/);
  });

  test('a PGP file in a feed without decrypt: FORMAT_MISMATCH that says what to set', async () => {
    await expect(decode(await armored(await make(csv)))).rejects.toMatchObject({
      code: 'FORMAT_MISMATCH',
      fix: expect.stringMatching(/^Set decrypt/) as unknown,
    });
    await expect(decode(await make(csv))).rejects.toMatchObject({
      code: 'FORMAT_MISMATCH',
      fix: expect.stringMatching(/^Set decrypt/) as unknown,
    });
  });

  test('a zip archive inside: FORMAT_MISMATCH', async () => {
    expect(await told(await make(zipOf([{ name: 'a.csv', content: csv }])))).toMatch(
      /^FORMAT_MISMATCH: Inside the PGP message stands a zip archive/,
    );
  });
});

describe('a message that was changed or cut off', () => {
  test.each<[string, PartialConfig]>([
    ['CFB with MDC', { aeadProtect: false }],
    ['AEAD', { aeadProtect: true, aeadChunkSizeByte: 0 }],
  ])('%s: FILE_CORRUPT, wherever the change is', async (_name, config) => {
    const file = await make(csv, { config });
    const header = 120;
    for (let at = header; at < file.length; at += Math.ceil((file.length - header) / 25)) {
      const changed = Buffer.from(file);
      changed[at]! ^= 1;
      expect(await told(changed)).toMatch(/^(FILE_CORRUPT|DECRYPT_FAILED): /);
    }
    for (const end of [file.length - 1, file.length - 20, 5000, 200])
      expect(await told(file.subarray(0, end))).toMatch(/^FILE_CORRUPT: The PGP file is (cut off|damaged)/);
  });

  test('in armor', async () => {
    const file = await armored(await make(csv));
    expect(await told(file.subarray(0, -100))).toMatch(/^FILE_CORRUPT: /);
  });

  test('other bytes behind it, such as a second message: FILE_CORRUPT', async () => {
    const file = await make(csv);
    const text = await armored(file);
    for (const both of [
      Buffer.concat([file, file]),
      Buffer.concat([file, Buffer.from('more')]),
      Buffer.concat([text, text]),
      Buffer.concat([text, Buffer.from('x')]),
    ])
      expect(await told(both)).toMatch(/^FILE_CORRUPT: /);
    expect(
      (await decode(Buffer.concat([text, Buffer.from('\n\r\n ')]), { decrypt: spec(), chunk: 3 })).toString(),
    ).toBe(csv);
  });

  test('an error of the source comes through', async () => {
    const file = await make(csv);
    const { openDecoded } = await import('../../src/decode/open.js');
    async function* broken(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(file.subarray(0, 1000));
      throw new RangeError('the source broke');
    }
    const plan = {
      decoders: [],
      compression: 'auto',
      maxExpansion: { ratio: 200, bytes: 100e9 },
      members: null,
      format: 'csv',
      encoding: 'utf-8',
      decrypt: spec(),
    };
    const reading = async (): Promise<unknown> => {
      const decoded = await openDecoded(broken(), { name: 'a.pgp', size: 1, read: () => Promise.resolve(0) }, plan);
      return decoded.kind === 'stream' ? await collect(decoded.bytes) : null;
    };
    await expect(reading()).rejects.toThrow('the source broke');
  });

  test('one that expands past max_expansion: EXPANSION_LIMIT', async () => {
    const bomb = await make(Buffer.alloc(30_000_000, 'a,b\n'), {
      config: { preferredCompressionAlgorithm: enums.compression.zlib },
    });
    expect(await told(bomb)).toMatch(/^EXPANSION_LIMIT: /);
    expect(await told(await make(gzipSync(Buffer.alloc(30_000_000, 'a,b\n'))))).toMatch(/^EXPANSION_LIMIT: /);
  });
});

describe('signatures', () => {
  const signature = async (making: Making, change: Partial<DecryptSpec>): Promise<string> => {
    const file = await make(csv, making);
    try {
      const decoded = await open(file, { decrypt: spec(change), chunk: 500 });
      if (decoded.kind !== 'stream') return 'an archive';
      await collect(decoded.bytes);
      return (decoded.signed?.() ?? '').replace(/[0-9A-F]{16}/, 'KEY');
    } catch (error) {
      return error instanceof Error && 'code' in error
        ? `${String(error.code)}: ${error.message.replace(/[0-9A-Fa-f]{16}/g, 'KEY')}`
        : String(error);
    }
  };

  test('required: a right one by a signer is taken and named', async () => {
    expect(await signature({ by: sender }, { verify: 'required', ...signedBy(stranger, sender) })).toBe(
      'signed by KEY',
    );
  });

  test('required: none, or one by another key, is SIGNATURE_WRONG', async () => {
    expect(await signature({}, { verify: 'required', ...signedBy(sender) })).toBe(
      'SIGNATURE_WRONG: The PGP file is not signed, and the feed wants a signature (decrypt.verify: required).',
    );
    expect(await signature({ by: stranger }, { verify: 'required', ...signedBy(sender) })).toBe(
      'SIGNATURE_WRONG: The PGP file is signed by KEY, not among the signers, and the feed wants a signature (decrypt.verify: required).',
    );
  });

  test('optional: none, or one by another key, is told and taken', async () => {
    expect(await signature({}, signedBy(sender))).toBe('not signed');
    expect(await signature({ by: stranger }, signedBy(sender))).toBe('signed by KEY, not among the signers');
    expect(await signature({ by: sender }, {})).toBe('signed by KEY, not among the signers');
  });

  test('by a key that had expired when it signed: SIGNATURE_WRONG, required or not', async () => {
    const forged = { by: { ...expired, open: await unexpired() }, date: new Date() };
    for (const verify of ['optional', 'required'] as const)
      expect(await signature(forged, { verify, ...signedBy(expired) })).toMatch(
        /^SIGNATURE_WRONG: The signature of the PGP file by key KEY is not right: /,
      );
  });

  test('by a key that has expired since: right', async () => {
    expect(
      await signature(
        { by: expired, date: new Date(Date.now() - 25 * DAY) },
        { verify: 'required', ...signedBy(expired) },
      ),
    ).toBe('signed by KEY');
  });

  test('from the future: SIGNATURE_WRONG', async () => {
    expect(
      await signature(
        { by: sender, date: new Date(Date.now() + 30 * DAY) },
        { verify: 'required', ...signedBy(sender) },
      ),
    ).toMatch(/^SIGNATURE_WRONG: /);
  });
});

/**
 * The expired key as its owner may have it, who does not care: with a new self-signature that the signers' copy lacks.
 */
async function unexpired(): Promise<PrivateKey> {
  const { reformatKey } = await import('openpgp');
  const { privateKey } = await reformatKey({
    privateKey: expired.open,
    userIDs: [{ name: 'expired' }],
    keyExpirationTime: 0,
    format: 'object',
  });
  return privateKey;
}
