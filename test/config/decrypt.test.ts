import { describe, expect, test } from 'vitest';
import { printConfig } from '../../src/config/print.js';
import { fullFeed, onlyFeed, parse, problemsOf, withFolder } from './support.js';

const block = (kind: string): string =>
  `-----BEGIN PGP ${kind} KEY BLOCK-----\n\nhunter2hunter2hunter2\n-----END PGP ${kind} KEY BLOCK-----\n`;
const FILES = { 'own.asc': block('PRIVATE'), 'old.asc': block('PRIVATE'), 'them.asc': block('PUBLIC') };
const told = (folder: string, lines: string, env = {}): string[] =>
  problemsOf(fullFeed(lines), { base: folder, env }).map((one) => `${one.code} ${one.key} ${one.message}`);

describe('decrypt', () => {
  test('keys and passphrase are read, and never printed', async () => {
    await withFolder(FILES, (folder) => {
      const config = parse(
        fullFeed(
          'decrypt:\n  private_key: [{ file: own.asc }, { file: old.asc }]\n  passphrase: { env: PASS }\n  verify: required\n  signers: them.asc',
        ),
        { base: folder, env: { PASS: 'sesame' } },
      );
      expect(onlyFeed(config).decrypt).toEqual({
        privateKeys: [block('PRIVATE').trimEnd(), block('PRIVATE').trimEnd()],
        passphrase: 'sesame',
        verify: 'required',
        signers: [{ file: `${folder}/them.asc`, key: block('PUBLIC') }],
      });
      const printed = printConfig(config);
      expect(printed).toContain('verify: required');
      expect(printed).not.toMatch(/hunter2|sesame|PRIVATE KEY/);
    });
  });

  test('unsaid, there is none', () => {
    expect(onlyFeed(parse(fullFeed(''))).decrypt).toBeUndefined();
  });

  test('mistakes are told where they stand', async () => {
    await withFolder(FILES, (folder) => {
      expect(told(folder, 'decrypt: { private_key: { file: them.asc } }')).toEqual([
        'BAD_VALUE feeds.orders.decrypt.private_key is no armored PGP private key.',
      ]);
      expect(told(folder, 'decrypt: { private_key: { file: own.asc }, signers: [them.asc, own.asc] }')).toEqual([
        'BAD_VALUE feeds.orders.decrypt.signers[1] is no armored PGP public key.',
      ]);
      expect(told(folder, 'decrypt: { private_key: { file: own.asc }, verify: required }')).toEqual([
        'CONFLICT feeds.orders.decrypt.verify nobody is named whose signature would do.',
      ]);
      expect(told(folder, 'decrypt: { private_key: { file: own.asc }, passphrase: { env: PASS } }')).toEqual([
        expect.stringMatching(/^ENV_UNSET feeds\.orders\.decrypt\.passphrase\.env /),
      ]);
      expect(told(folder, 'decrypt: { signers: them.asc }')).toEqual([
        expect.stringMatching(/^MISSING_KEY feeds\.orders\.decrypt\.private_key /),
      ]);
      expect(told(folder, 'decrypt: { private_key: { file: gone.asc } }')).toEqual([
        expect.stringMatching(
          /^SECRET_UNREADABLE feeds\.orders\.decrypt\.private_key\.file .*gone\.asc cannot be read/,
        ),
      ]);
    });
  });
});
