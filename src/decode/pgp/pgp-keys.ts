import type { Key, PrivateKey } from 'openpgp';
import { TallymanError, messageOf } from '../../core/errors.js';
import type { DecryptSpec } from '../../core/feed/input.js';

/** Keys of a feed, ready for use. */
export interface PgpKeys {
  readonly decryption: readonly PrivateKey[];
  readonly signers: readonly Key[];
}

/** Unlocking a key takes 50 to 500 ms, on purpose: the keys of the latest feed are kept. */
let latest: { readonly name: string; readonly keys: PgpKeys } | null = null;

/** Throws DECRYPT_KEY; the message never holds a key. */
export async function readKeys(spec: DecryptSpec): Promise<PgpKeys> {
  const name = JSON.stringify([spec.privateKeys, spec.passphrase, spec.signers]);
  if (latest?.name !== name) {
    const decryption = await Promise.all(spec.privateKeys.map((armored) => privateKeys(armored, spec.passphrase)));
    const signers = await Promise.all(spec.signers.map(publicKeys));
    latest = { name, keys: { decryption: decryption.flat(), signers: signers.flat() } };
  }
  return latest.keys;
}

async function privateKeys(armored: string, passphrase: string | null): Promise<readonly PrivateKey[]> {
  const { readPrivateKeys, decryptKey } = await import('openpgp');
  const locked = await readable('decrypt.private_key', () => readPrivateKeys({ armoredKeys: armored }));
  return await Promise.all(
    locked.map(async (key) => {
      if (key.isDecrypted()) return key;
      const id = key.getKeyID().toHex().toUpperCase();
      if (passphrase === null)
        throw unusable(`The private key ${id} (decrypt.private_key) is locked, and there is no decrypt.passphrase.`);
      try {
        return await decryptKey({ privateKey: key, passphrase });
      } catch (error) {
        throw unusable(`decrypt.passphrase does not unlock the private key ${id}.`, error);
      }
    }),
  );
}

async function publicKeys({ file, key }: DecryptSpec['signers'][number]): Promise<readonly Key[]> {
  const { readKeys: read } = await import('openpgp');
  return await readable(file, () => read({ armoredKeys: key }));
}

async function readable<T>(what: string, read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read();
  } catch (error) {
    // What openpgp says of a broken key does not repeat it.
    throw unusable(`${what} holds no key that can be read (${messageOf(error)}).`, error);
  }
}

const unusable = (message: string, cause?: unknown): TallymanError =>
  new TallymanError('DECRYPT_KEY', message, { cause });
