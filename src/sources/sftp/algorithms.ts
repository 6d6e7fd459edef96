import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import * as z from 'zod';
import { oneOrMany, text } from '../../config/schema/scalars.js';

interface Names {
  readonly kex: KexAlgorithm;
  readonly host_key: ServerHostKeyAlgorithm;
  readonly cipher: CipherAlgorithm;
  readonly mac: MacAlgorithm;
}
export type Agreed = keyof Names;

/** What is agreed on in a handshake, each with the names that the client offers and those that it knows besides. */
export const AGREED: {
  readonly [K in Agreed]: {
    readonly what: string;
    readonly offered: readonly Names[K][];
    readonly known: readonly Names[K][];
  };
} = {
  kex: {
    what: 'key exchange',
    offered: [
      'curve25519-sha256@libssh.org',
      'curve25519-sha256',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group-exchange-sha256',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group15-sha512',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group17-sha512',
      'diffie-hellman-group18-sha512',
    ],
    known: ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
  },
  host_key: {
    what: 'kind of host key',
    offered: [
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-rsa',
    ],
    known: [],
  },
  cipher: {
    what: 'cipher',
    offered: [
      'aes128-gcm@openssh.com',
      'aes256-gcm@openssh.com',
      'aes128-ctr',
      'aes192-ctr',
      'aes256-ctr',
      'chacha20-poly1305@openssh.com',
    ],
    known: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
  },
  mac: {
    what: 'MAC',
    offered: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha1-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
      'hmac-sha1',
    ],
    known: ['hmac-md5', 'hmac-sha2-256-96', 'hmac-sha2-512-96', 'hmac-ripemd160', 'hmac-sha1-96', 'hmac-md5-96'],
  },
};

/** Every name that the client knows. */
export const namesOf = <K extends Agreed>(key: K): readonly Names[K][] => [
  ...AGREED[key].offered,
  ...AGREED[key].known,
];

const isName = <K extends Agreed>(key: K, name: string): name is Names[K] =>
  namesOf(key).some((known) => known === name);

const names = (key: Agreed) =>
  oneOrMany(text()).superRefine((list, context) => {
    const issue = (message: string): void => context.addIssue({ code: 'custom', message });
    const added = list.filter((name) => name.startsWith('+'));
    if (added.length > 0 && added.length < list.length)
      issue('each name begins with + (besides the usual ones), or none does (these and no others)');
    const unknown = list.find((name) => !isName(key, name.replace(/^\+/, '')));
    if (unknown !== undefined) issue(`${unknown} is not known here: there are ${namesOf(key).join(', ')}`);
  });

/** `algorithms:` of a connection. */
export const algorithmOptions = () =>
  z.strictObject({
    kex: names('kex').optional().describe('Ways of exchanging keys.'),
    host_key: names('host_key').optional().describe('Kinds of host keys.'),
    cipher: names('cipher').optional().describe('Ciphers.'),
    mac: names('mac').optional().describe('Message authentication codes.'),
  });
export type AlgorithmNames = z.output<ReturnType<typeof algorithmOptions>>;

/** For the client. `hostKeys`: kinds in the order in which they are asked for. */
export function algorithmsOf(
  names: AlgorithmNames | undefined,
  hostKeys: readonly ServerHostKeyAlgorithm[],
): Algorithms {
  const kinds: readonly string[] = listOf(names, 'host_key');
  return {
    kex: [...listOf(names, 'kex')],
    serverHostKey: hostKeys.filter((kind) => kinds.includes(kind)),
    cipher: [...listOf(names, 'cipher')],
    hmac: [...listOf(names, 'mac')],
  };
}

/** What is offered, in this order. */
export function listOf<K extends Agreed>(names: AlgorithmNames | undefined, key: K): readonly Names[K][] {
  const given = names?.[key];
  if (given === undefined) return AGREED[key].offered;
  const plain = given.map((name) => name.replace(/^\+/, '')).filter((name) => isName(key, name));
  return given[0]?.startsWith('+') === true ? [...new Set([...AGREED[key].offered, ...plain])] : plain;
}

/** Everything that the client knows, to hear what a server offers. */
export const allAlgorithms = (): Algorithms => ({
  kex: [...namesOf('kex')],
  serverHostKey: [...namesOf('host_key')],
  cipher: [...namesOf('cipher')],
  hmac: [...namesOf('mac')],
});
