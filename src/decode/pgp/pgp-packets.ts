import { TallymanError } from '../../core/errors.js';

const BEGIN = /^(?:\xef\xbb\xbf)?\s*-----BEGIN PGP MESSAGE-----/;
const END = '-----END PGP MESSAGE-----';

/** Is this an armored message? `head` as it begins. */
export const isArmor = (head: Buffer): boolean => BEGIN.test(head.toString('latin1', 0, 256));

/** Packet tags of RFC 9580, 5. */
const ENCRYPTED: ReadonlySet<number> = new Set([1, 9, 18, 20]);
const PASSWORD = 3;
const MARKER = 10;
const PLAIN: ReadonlySet<number> = new Set([2, 4, 8, 11]);

/**
 * What a binary message begins with: a session key for a public key or encrypted data; one for a password; a signature,
 * compressed or plain data. null = these bytes begin no message. A password may stand beside keys: it is told only when
 * nothing else comes first.
 */
export function packetOf(head: Buffer): 'encrypted' | 'password' | 'plain' | null {
  const first = head[0] ?? 0;
  if (first < 0x80) return null;
  const tag = (first & 0x40) === 0 ? (first >> 2) & 15 : first & 63;
  if (ENCRYPTED.has(tag) || tag === MARKER) return 'encrypted';
  if (tag === PASSWORD) return hasKeyBehind(head) ? 'encrypted' : 'password';
  return PLAIN.has(tag) ? 'plain' : null;
}

/** A packet for a public key right behind the first one, which is short. */
function hasKeyBehind(head: Buffer): boolean {
  const old = (head[0]! & 0x40) === 0;
  const length = head[1] ?? 0;
  // Lengths of one byte: a password packet has some 13 to 60 bytes.
  if ((old && (head[0]! & 3) !== 0) || (!old && length >= 192)) return false;
  const next = head[2 + length] ?? 0;
  if (next < 0x80) return false;
  const tag = (next & 0x40) === 0 ? (next >> 2) & 15 : next & 63;
  return tag === 1 || (tag === PASSWORD && hasKeyBehind(head.subarray(2 + length)));
}

/**
 * Looks for the end of an armored message in pieces of it: throws FILE_CORRUPT when anything but blanks stands behind,
 * such as a second message, which openpgp would pass over in silence.
 */
export function endOfArmor(): (piece: Buffer) => void {
  let tail = '';
  let ended = false;
  return (piece) => {
    let text = piece.toString('latin1');
    if (!ended) {
      const seen = tail + text;
      const at = seen.indexOf(END);
      tail = seen.slice(1 - END.length);
      if (at === -1) return;
      ended = true;
      text = seen.slice(at + END.length);
    }
    if (/\S/.test(text))
      throw new TallymanError('FILE_CORRUPT', 'The PGP file holds other bytes behind its message.', {
        fix: 'Ask the supplier for one message a file.',
      });
  };
}
