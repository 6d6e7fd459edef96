import picomatch from 'picomatch';
import type { ArchiveMember, Decoder, RandomAccess } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';
import type { ExpansionSpec } from '../core/feed.js';
import type { Bytes } from '../core/format.js';
import { toUtf8 } from './charset.js';
import { checkKind, choose } from './choose.js';
import { DETECT_BYTES } from './detect.js';
import { Expansion } from './expansion.js';
import { abandon, peek } from './peek.js';

/** How the bytes of a file are to be taken. */
export interface DecodePlan {
  readonly decoders: readonly Decoder[];
  /** auto, none, or a decoder's name. */
  readonly compression: string;
  readonly maxExpansion: ExpansionSpec;
  readonly members: readonly string[] | null;
  /** The feed's format, against which content of a plainly different kind is held. */
  readonly format: string;
  /** Label of the text's encoding; null = the format is no text. */
  readonly encoding: string | null;
}

/** The delivered file. */
export interface DeliveredFile extends RandomAccess {
  /** Its name, for the endings that tell a compression. */
  readonly name: string;
}

/** Bytes that a format can read: decompressed, in UTF-8 when they are text. */
export interface DecodedBytes {
  readonly bytes: Bytes;
  /** null = the format is no text. */
  readonly encoding: string | null;
}

/** One stream, or the members of an archive, each of which is a file of the format. */
export type Decoded =
  | ({ readonly kind: 'stream'; readonly compression: string } & DecodedBytes)
  | { readonly kind: 'archive'; readonly compression: string; readonly members: readonly ArchiveMember[]; open(member: ArchiveMember): Promise<DecodedBytes> };

/**
 * Takes a file apart as far as its format. Throws FORMAT_MISMATCH, FILE_CORRUPT, EMPTY_NOT_ALLOWED and UNKNOWN_ENCODING; the streams throw FILE_CORRUPT and
 * EXPANSION_LIMIT while they are read.
 */
export async function openDecoded(source: Bytes, file: DeliveredFile, plan: DecodePlan): Promise<Decoded> {
  const { head, bytes } = await peek(source, DETECT_BYTES);
  try {
    const decoder = choose(plan.decoders, plan.compression, head, file.name);
    if (decoder === null) return { kind: 'stream', compression: 'none', ...(await readable(bytes, null, plan)) };
    const expansion = new Expansion(plan.maxExpansion);
    if (decoder.members === undefined) {
      return { kind: 'stream', compression: decoder.name, ...(await readable(expansion.limited(decoder.decode(expansion.counted(bytes))), decoder.name, plan)) };
    }
    expansion.deliveredWhole(file.size);
    const members = await decoder.members(file, wanted(plan.members));
    if (members.length === 0) throw new TallymanError('FORMAT_MISMATCH', `The ${decoder.name} archive holds no file that is wanted.`, { fix: 'Correct members, or ask the supplier.' });
    return { kind: 'archive', compression: decoder.name, members, open: (member) => readable(expansion.limited(member.open()), decoder.name, plan) };
  } catch (error) {
    await abandon(bytes);
    throw error;
  }
}

async function readable(bytes: Bytes, inside: string | null, plan: DecodePlan): Promise<DecodedBytes> {
  const peeked = await peek(bytes, DETECT_BYTES);
  try {
    checkKind(peeked.head, plan.format, inside, plan.decoders);
  } catch (error) {
    await abandon(peeked.bytes);
    throw error;
  }
  return plan.encoding === null ? { bytes: peeked.bytes, encoding: null } : await toUtf8(peeked.bytes, plan.encoding);
}

/** Globs without "/" meet the name, with "/" the path, as source.pattern does. Unsaid: all but hidden files and what macOS puts beside them. */
function wanted(globs: readonly string[] | null): (path: string) => boolean {
  const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  if (globs === null) return (path) => !nameOf(path).startsWith('.') && !path.startsWith('__MACOSX/');
  const matchers = globs.map((glob) => ({ meets: picomatch(glob), whole: glob.includes('/') }));
  return (path) => matchers.some(({ meets, whole }) => meets(whole ? path : nameOf(path)));
}
