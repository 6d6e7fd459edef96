import picomatch from 'picomatch';
import { globTestOf } from '../base/expression/glob.js';
import type { ArchiveMember, Decoder, RandomAccess } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';
import type { DecryptSpec, ExpansionSpec } from '../core/feed/input.js';
import type { Bytes } from '../core/format.js';
import { toUtf8 } from './charset/charset.js';
import { checkKind, choose } from './choose.js';
import type { ContentDigest } from './content-digest.js';
import { DETECT_BYTES } from './detect.js';
import { Expansion } from './expansion.js';
import { abandon, peek } from './peek.js';
import { decryptPgp } from './pgp/pgp.js';

/** How the bytes of a file are to be taken. */
export interface DecodePlan {
  readonly decoders: readonly Decoder[];
  /** auto, none, or a decoder's name. */
  readonly compression: string;
  readonly maxExpansion: ExpansionSpec;
  readonly members: readonly string[] | null;
  /** How a PGP file is decrypted before all else; then nothing but PGP is taken. */
  readonly decrypt?: DecryptSpec;
  /** The feed's format, against which content of a plainly different kind is held. */
  readonly format: string;
  /** Label of the text's encoding; null = the format is no text. */
  readonly encoding: string | null;
  /** Told what is packed in the file; omitted = nobody asks. */
  readonly content?: ContentDigest;
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
  /** Why the encoding that `auto` took may be wrong; omitted = nothing speaks against it. */
  readonly doubt?: string;
  /** Who signed the file, known at its end; omitted = it was not PGP. */
  readonly signed?: () => string;
}

/** One stream, or the members of an archive, each of which is a file of the format. */
export type Decoded =
  | ({ readonly kind: 'stream'; readonly compression: string } & DecodedBytes)
  | {
      readonly kind: 'archive';
      readonly compression: string;
      readonly members: readonly ArchiveMember[];
      open(member: ArchiveMember): Promise<DecodedBytes>;
    };

/**
 * Takes a file apart as far as its format. Throws FORMAT_MISMATCH, FILE_CORRUPT, EMPTY_NOT_ALLOWED, UNKNOWN_ENCODING
 * and the errors of decryption; the streams throw FILE_CORRUPT, EXPANSION_LIMIT and SIGNATURE_WRONG while they are
 * read.
 */
export async function openDecoded(source: Bytes, file: DeliveredFile, plan: DecodePlan): Promise<Decoded> {
  const expansion = new Expansion(plan.maxExpansion);
  if (plan.decrypt === undefined) return await unpacked(source, file, file.name, plan, expansion, null);
  // A message is compressed within itself, and what is in it may be once more: each is held against the delivered
  // bytes.
  const message = new Expansion(plan.maxExpansion);
  const { bytes, told } = await decryptPgp(message.counted(expansion.counted(source)), plan.decrypt);
  return await unpacked(
    message.limited(bytes),
    file,
    file.name.replace(/\.(pgp|gpg|asc)$/i, ''),
    plan,
    expansion,
    told,
  );
}

/** `signed`: the bytes were taken out of a PGP message. */
async function unpacked(
  source: Bytes,
  file: RandomAccess,
  name: string,
  plan: DecodePlan,
  expansion: Expansion,
  signed: (() => string) | null,
): Promise<Decoded> {
  const { head, bytes } = await peek(source, DETECT_BYTES);
  const layer = signed === null ? '' : 'pgp+';
  const outer = signed === null ? null : 'pgp';
  const said = signed === null ? {} : { signed };
  try {
    const decoder = choose(plan.decoders, plan.compression, head, name);
    const { content } = plan;
    if (decoder === null) {
      const [inside, compression] = [outer === null ? bytes : watched(bytes, content), outer ?? 'none'];
      if (outer === null) content?.plain();
      return { kind: 'stream', compression, ...(await readable(inside, outer, plan)), ...said };
    }
    if (decoder.members === undefined) {
      const packed = signed === null ? expansion.counted(bytes) : bytes;
      return {
        kind: 'stream',
        compression: `${layer}${decoder.name}`,
        ...(await readable(watched(expansion.limited(decoder.decode(packed)), content), decoder.name, plan)),
        ...said,
      };
    }
    if (signed !== null)
      throw new TallymanError(
        'FORMAT_MISMATCH',
        `Inside the PGP message stands a ${decoder.name} archive, which is read only where it is not encrypted.`,
        { fix: 'Ask the supplier for gzip or zstd inside PGP, or for plain PGP (it compresses by itself).' },
      );
    expansion.deliveredWhole(file.size);
    const members = await decoder.members(file, wanted(plan.members));
    if (members.length === 0)
      throw new TallymanError('FORMAT_MISMATCH', `The ${decoder.name} archive holds no file that is wanted.`, {
        fix: 'Correct members, or ask the supplier.',
      });
    content?.packed(members.length);
    const inside = (member: ArchiveMember): Bytes => {
      const bytesOf = expansion.limited(member.open());
      return content?.watch(bytesOf, member.name) ?? bytesOf;
    };
    return {
      kind: 'archive',
      compression: decoder.name,
      members,
      open: (member) => readable(inside(member), decoder.name, plan),
    };
  } catch (error) {
    await abandon(bytes);
    throw error;
  }
}

/** A file that is one packed stream. */
function watched(bytes: Bytes, content: ContentDigest | undefined): Bytes {
  content?.packed(1);
  return content?.watch(bytes) ?? bytes;
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

/**
 * Globs without "/" meet the name, with "/" the path, as source.pattern does. Omitted: all but hidden files and what
 * macOS puts beside them.
 */
function wanted(globs: readonly string[] | null): (path: string) => boolean {
  const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  if (globs === null) return (path) => !nameOf(path).startsWith('.') && !path.startsWith('__MACOSX/');
  const matchers = globs.map((glob) => ({ glob, meets: globTestOf(glob, picomatch.makeRe(glob)) }));
  return (path) =>
    matchers.some(({ glob, meets }) => {
      const text = glob.includes('/') ? path : nameOf(path);
      // What is written as the name itself is met, whatever its signs mean in a glob.
      return text === glob || meets(text);
    });
}
