import type { Decoder } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';
import { detect, hasControls, type Kind } from './detect.js';

/** Bytes that a decoder may look at to know its own. */
const MAGIC = 16;
/** Bytes that every decoder's magic is told by. */
const ENOUGH = 4;

/**
 * The decoder of a file that begins with `head`; null = none. `auto`: magic bytes first; the name
 * (`feed/orders.csv.gz`) speaks where they cannot, in a file of fewer bytes than a magic has. A name of a decoder, or
 * none: the bytes must agree. Throws FORMAT_MISMATCH and EMPTY_NOT_ALLOWED.
 */
export function choose(decoders: readonly Decoder[], compression: string, head: Buffer, name: string): Decoder | null {
  const magic = head.subarray(0, MAGIC);
  if (compression === 'none') return null;
  if (compression === 'auto') {
    const known = decoders.find((one) => one.matches(magic));
    // An Excel workbook is a zip too; what it really is is told by the check of the format.
    if (known !== undefined) return isArchiveOfAnotherKind(known, head) ? null : known;
    const named = decoders.find((one) => one.extensions.some((extension) => name.toLowerCase().endsWith(extension)));
    if (named === undefined) return null;
    if (head.length === 0) throw new TallymanError('EMPTY_NOT_ALLOWED', `a ${named.name} file of 0 bytes`);
    if (head.length < ENOUGH)
      throw new TallymanError('FILE_CORRUPT', `The ${named.name} file is cut off: it ends at byte ${head.length}.`);
    if (detect(head) === null && hasControls(head))
      throw new TallymanError('FORMAT_MISMATCH', `The file is named as ${named.name}, but does not begin as one.`, {
        fix: 'Ask the supplier to send the file again.',
      });
    return null;
  }
  const chosen = decoders.find((one) => one.name === compression);
  if (chosen === undefined) throw new TallymanError('INTERNAL', `there is no decoder ${compression}`);
  if (head.length === 0) throw new TallymanError('EMPTY_NOT_ALLOWED', `a ${chosen.name} file of 0 bytes`);
  if (chosen.matches(magic) && !isArchiveOfAnotherKind(chosen, head)) return chosen;
  throw new TallymanError(
    'FORMAT_MISMATCH',
    `The feed says compression: ${chosen.name}; the file is ${detect(head)?.title ?? 'not compressed, or damaged in its first bytes'}.`,
    { fix: 'Correct compression (auto finds out), or the pattern that catches this file.' },
  );
}

const isArchiveOfAnotherKind = (decoder: Decoder, head: Buffer): boolean =>
  decoder.name === 'zip' && detect(head)?.name !== 'zip';

/** Packed in ways that no decoder reads. */
const UNREAD = new Set(['lz4', 'snappy', 'compress', '7z', 'rar', 'tar']);

function fixFor(kind: Kind, inside: string | null, decoders: readonly Decoder[]): string | undefined {
  if (kind.name === 'pgp')
    return inside === null
      ? 'Set decrypt: { private_key: { file: ... } }.'
      : 'Ask the supplier to encrypt the file once, and last.';
  if (UNREAD.has(kind.name)) return `${kind.title} is not unpacked: ask the supplier for gzip, zstd, bzip2, xz or zip.`;
  if (!decoders.some((one) => one.name === kind.name)) return undefined;
  return inside === null ? 'Set compression: auto.' : 'Ask the supplier to compress the file once.';
}

/**
 * Throws FORMAT_MISMATCH when the decoded bytes are plainly of another kind than the feed's format. `inside`: what they
 * were taken out of.
 */
export function checkKind(head: Buffer, format: string, inside: string | null, decoders: readonly Decoder[]): void {
  const kind = detect(head);
  if (kind === null || kind.name === format) return;
  const place = inside === null ? 'The file is' : `Inside the ${inside} stands`;
  const fix = fixFor(kind, inside, decoders);
  throw new TallymanError(
    'FORMAT_MISMATCH',
    `${place} ${kind.title}, and the feed says ${format}.`,
    fix === undefined ? {} : { fix },
  );
}
