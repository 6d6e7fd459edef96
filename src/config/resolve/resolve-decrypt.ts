import path from 'node:path';
import type { DecryptSpec } from '../../core/feed/input.js';
import type { Secret } from '../../core/secret.js';
import type { SecretInput } from '../schema/scalars.js';
import type { FeedInput } from '../schema/schema-feed.js';
import { readSecret, readTextFile, type Surroundings } from '../read/secrets.js';
import type { MapNode, Path } from '../read/tree.js';

/**
 * `decrypt:` of a feed, its secrets read; null after a mistake. Whether a passphrase fits its key shows when the first
 * file is decrypted.
 */
export function resolveDecrypt(
  input: NonNullable<FeedInput['decrypt']>,
  feed: MapNode,
  around: Surroundings,
): DecryptSpec | null {
  const { problems } = around;
  const before = problems.count;
  const many = Array.isArray(input.private_key);
  const written: readonly SecretInput[] = Array.isArray(input.private_key) ? input.private_key : [input.private_key];
  const privateKeys = written.map((one, i) => {
    const at: Path = ['decrypt', 'private_key', ...(many ? [i] : [])];
    return armored(revealed(readSecret(one, feed, at, around)), 'PRIVATE', feed, at, around);
  });
  const passphrase =
    input.passphrase === undefined ? null : readSecret(input.passphrase, feed, ['decrypt', 'passphrase'], around);
  const several = feed.entries.get('decrypt');
  const isList = several?.kind === 'map' && several.entries.get('signers')?.kind === 'list';
  const signers = input.signers.map((file, i) => {
    const at: Path = ['decrypt', 'signers', ...(isList ? [i] : [])];
    return {
      file: path.resolve(around.base, file),
      key: armored(readTextFile(file, feed, at, around), 'PUBLIC', feed, at, around),
    };
  });
  if (input.verify === 'required' && signers.length === 0) {
    problems.at(
      feed,
      ['decrypt', 'verify'],
      'CONFLICT',
      'nobody is named whose signature would do.',
      'signers: keys/sender.asc',
    );
  }
  if (problems.count > before) return null;
  return { privateKeys, passphrase: passphrase === null ? null : revealed(passphrase), verify: input.verify, signers };
}

/** null = it is not there. Whoever decrypts has asked for it before (requireSecrets). */
const revealed = (secret: Secret): string | null => (secret.isSet ? secret.reveal() : null);

/** Empty after a mistake, which is reported; null was told before. */
function armored(
  text: string | null,
  kind: 'PRIVATE' | 'PUBLIC',
  feed: MapNode,
  at: Path,
  { problems }: Surroundings,
): string {
  if (text === null) return '';
  if (text.includes(`-----BEGIN PGP ${kind} KEY BLOCK-----`)) return text;
  const how = kind === 'PRIVATE' ? 'gpg --armor --export-secret-keys KEY' : 'gpg --armor --export KEY';
  problems.at(feed, at, 'BAD_VALUE', `is no armored PGP ${kind.toLowerCase()} key.`, `Make it with ${how}.`);
  return '';
}
