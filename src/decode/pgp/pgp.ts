import type { DecryptMessageResult, Message, PartialConfig, PrivateKey } from 'openpgp';
import { TallymanError, messageOf } from '../../core/errors.js';
import type { DecryptSpec } from '../../core/feed/input.js';
import type { Bytes } from '../../core/format.js';
import { detect } from '../detect.js';
import { readKeys } from './pgp-keys.js';
import { endOfArmor, isArmor, packetOf } from './pgp-packets.js';
import { abandon, peek } from '../peek.js';

/** Bytes given to openpgp in one go: it works through all that it is given before anything else has a turn. */
const PIECE = 64 * 1024;

/**
 * Plaintext is given on while it is decrypted, before its last bytes have proven it: nothing of a load is there before
 * COMMIT, and a message that turns out wrong ends the stream with an error, which rejects the file. Without this a
 * message would be held in memory whole. Messages without any proof against changes are refused.
 */
const CONFIG: PartialConfig = { allowUnauthenticatedStream: true, allowUnauthenticatedMessages: false };

/** A decrypted message. */
export interface Decrypted {
  readonly bytes: Bytes;
  /** Who signed it, for the receipt: known when the bytes have ended. */
  readonly told: () => string;
}

/**
 * Decrypts an OpenPGP message (RFC 9580 and before; binary or armored) with the private keys of the feed. Everything is
 * proven when the stream has ended: integrity, and the signature by `verify`. Throws FORMAT_MISMATCH (no encrypted
 * message), DECRYPT_FAILED (for another key), DECRYPT_KEY (a key of the feed cannot be used), EMPTY_NOT_ALLOWED; the
 * stream throws FILE_CORRUPT and SIGNATURE_WRONG.
 */
export async function decryptPgp(source: Bytes, spec: DecryptSpec): Promise<Decrypted> {
  const { head, bytes } = await peek(source, PIECE);
  try {
    const armored = isArmor(head);
    refuseOthers(head, armored);
    const openpgp = await import('openpgp');
    const keys = await readKeys(spec);
    const input = new Input(bytes, armored);
    const message = await parsed(() =>
      armored
        ? openpgp.readMessage({ armoredMessage: input.text(), config: CONFIG })
        : openpgp.readMessage({ binaryMessage: input.binary(), config: CONFIG }),
    );
    const result = await opened(message, keys.decryption, () =>
      openpgp.decrypt({
        message,
        decryptionKeys: [...keys.decryption],
        verificationKeys: [...keys.signers],
        format: 'binary',
        config: CONFIG,
      }),
    );
    const signatures = result.signatures.map((one) => settled(one));
    let told = 'not read to its end';
    return {
      told: () => told,
      bytes: plaintext(result.data, input, async () => {
        told = judge(await Promise.all(signatures), spec.verify);
      }),
    };
  } catch (error) {
    await abandon(bytes);
    throw error;
  }
}

function refuseOthers(head: Buffer, armored: boolean): void {
  if (head.length === 0) throw new TallymanError('EMPTY_NOT_ALLOWED', 'a PGP file of 0 bytes');
  if (armored) return;
  const packet = packetOf(head);
  if (packet === 'encrypted') return;
  if (packet === 'password')
    throw new TallymanError('DECRYPT_FAILED', 'The PGP file is encrypted with a password, not for a key.', {
      fix: 'Ask the supplier to encrypt it for your public key.',
    });
  if (packet === 'plain') throw notEncrypted();
  throw new TallymanError(
    'FORMAT_MISMATCH',
    `The feed says decrypt; the file is ${detect(head)?.title ?? 'no PGP message'}.`,
    { fix: 'Ask the supplier to encrypt it, or drop decrypt from the feed.' },
  );
}

const notEncrypted = (): TallymanError =>
  new TallymanError(
    'FORMAT_MISMATCH',
    'The feed says decrypt; the PGP file is signed or compressed, but not encrypted.',
    { fix: 'Ask the supplier to encrypt it.' },
  );

/** The delivered bytes as a stream of the kind that openpgp reads, one piece at a time as it asks for them. */
class Input {
  readonly #bytes: AsyncIterator<Buffer>;
  readonly #armored: boolean;
  readonly #checkEnd = endOfArmor();
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(bytes: Bytes, armored: boolean) {
    this.#bytes = bytes[Symbol.asyncIterator]();
    this.#armored = armored;
  }

  binary(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#stream((piece) => Uint8Array.from(piece));
  }

  text(): ReadableStream<string> {
    return this.#stream((piece) => piece.toString('latin1'));
  }

  /** Reads what openpgp left: nothing may stand behind the message. */
  async drain(): Promise<void> {
    while ((await this.#next()) !== null);
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#bytes.return?.();
  }

  /** `copy`: openpgp may keep a piece for as long as it wants. */
  #stream<T>(copy: (piece: Buffer) => T): ReadableStream<T> {
    return new ReadableStream<T>(
      {
        pull: async (controller) => {
          const piece = await this.#next();
          if (piece === null) controller.close();
          else controller.enqueue(copy(piece));
        },
        cancel: async () => {
          await this.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #next(): Promise<Buffer | null> {
    while (this.#rest.length === 0) {
      if (this.#ended) return null;
      const next = await this.#bytes.next();
      if (next.done === true) {
        this.#ended = true;
        return null;
      }
      this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, PIECE);
    this.#rest = this.#rest.subarray(PIECE);
    if (this.#armored) this.#checkEnd(piece);
    return piece;
  }
}

async function parsed<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw damaged(error);
  }
}

interface Result {
  readonly signatures: DecryptMessageResult['signatures'];
  readonly data: ReadableStream<unknown>;
}

async function opened(
  message: Message<ReadableStream<Uint8Array>> | Message<ReadableStream<string>>,
  keys: readonly PrivateKey[],
  decrypt: () => Promise<DecryptMessageResult>,
): Promise<Result> {
  try {
    const result = await decrypt();
    const data: unknown = result.data;
    if (!(data instanceof ReadableStream)) throw new TallymanError('INTERNAL', 'openpgp gave no stream');
    return { signatures: result.signatures, data };
  } catch (error) {
    if (/no encrypted data/i.test(messageOf(error))) throw notEncrypted();
    const wanted = message.getEncryptionKeyIDs().map((id) => id.toHex().toUpperCase());
    const own = keys.flatMap((key) => key.getKeyIDs().map((id) => id.toHex().toUpperCase()));
    if (
      !/no decryption key packets|session key|no public key encrypted/i.test(messageOf(error)) &&
      wanted.some((id) => own.includes(id) || ANYBODY.test(id))
    )
      throw damaged(error);
    throw new TallymanError(
      'DECRYPT_FAILED',
      `The PGP file is encrypted for ${listed(wanted)}; the private ${own.length > 1 ? 'keys' : 'key'} of the feed: ${listed(own)}.`,
      { cause: error },
    );
  }
}

/** The sender hides for whom it is. */
const ANYBODY = /^0+$/;

const listed = (ids: readonly string[]): string => (ids.length === 0 ? 'no key' : `key ${ids.slice(0, 10).join(', ')}`);

interface Signature {
  readonly keyId: string;
  /** null = right. */
  readonly fault: string | null;
  readonly known: boolean;
}

function settled({ keyID, verified }: DecryptMessageResult['signatures'][number]): Promise<Signature> {
  const keyId = keyID.toHex().toUpperCase();
  return verified.then(
    () => ({ keyId, fault: null, known: true }),
    (error: unknown) => ({
      keyId,
      fault: messageOf(error),
      known: !/^Could not find signing key/i.test(messageOf(error)),
    }),
  );
}

async function* plaintext(
  data: ReadableStream<unknown>,
  input: Input,
  prove: () => Promise<void>,
): AsyncGenerator<Buffer> {
  const reader = data.getReader();
  let ended = false;
  try {
    for (;;) {
      const next = await parsed(() => reader.read());
      if (next.done) break;
      const piece = next.value;
      if (!(piece instanceof Uint8Array)) throw new TallymanError('INTERNAL', 'openpgp gave no bytes');
      if (piece.length > 0) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
    await input.drain();
    await prove();
    ended = true;
  } finally {
    if (!ended) await reader.cancel().catch(() => undefined);
    await input.close();
  }
}

/** Throws SIGNATURE_WRONG; else says who signed. */
function judge(signatures: readonly Signature[], verify: DecryptSpec['verify']): string {
  const right = signatures.filter(({ fault }) => fault === null);
  const wrong = signatures.find(({ fault, known }) => fault !== null && known);
  if (wrong !== undefined && right.length === 0)
    throw new TallymanError(
      'SIGNATURE_WRONG',
      `The signature of the PGP file by key ${wrong.keyId} is not right: ${wrong.fault ?? ''}.`,
    );
  if (right.length > 0) return `signed by ${right.map(({ keyId }) => keyId).join(', ')}`;
  const unknown = signatures.map(({ keyId }) => keyId);
  const what = unknown.length === 0 ? 'not signed' : `signed by ${unknown.join(', ')}, not among the signers`;
  if (verify === 'required')
    throw new TallymanError(
      'SIGNATURE_WRONG',
      `The PGP file is ${what}, and the feed wants a signature (decrypt.verify: required).`,
    );
  return what;
}

/** What openpgp threw, in our words; errors of the source come through. */
function damaged(error: unknown): unknown {
  let inner = error;
  for (; inner instanceof Error; inner = inner.cause) if (inner instanceof TallymanError) return inner;
  const said = messageOf(error).replace(/^Error decrypting message: /, '');
  if (/unexpected end|premature end|misformed armored text/i.test(said))
    return new TallymanError('FILE_CORRUPT', `The PGP file is cut off or damaged (${said}).`, { cause: error });
  if (/modif/i.test(said))
    return new TallymanError('FILE_CORRUPT', 'The PGP file was changed after it was encrypted, or is damaged.', {
      cause: error,
    });
  if (/not authenticated|unauthenticated/i.test(said))
    return new TallymanError('FORMAT_MISMATCH', 'The PGP file has no protection against changes (MDC or AEAD).', {
      fix: 'Ask the supplier to encrypt it with a current program.',
      cause: error,
    });
  return new TallymanError('FILE_CORRUPT', `The PGP file is damaged (${said.replace(/\.$/, '')}).`, { cause: error });
}
