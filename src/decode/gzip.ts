import { createGunzip } from 'node:zlib';
import type { Decoder } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';
import type { Bytes } from '../core/format.js';
import { BEHIND, CUT, OUTPUT, inflate, placeOf } from './inflate.js';

/**
 * gzip (RFC 1952), all members; checksum and length of each are proven by zlib. Anything but members is FILE_CORRUPT,
 * padding with zeros too: what stands behind it would be lost.
 */
export const gzip: Decoder = {
  name: 'gzip',
  extensions: ['.gz', '.gzip', '.tgz'],
  matches: (head) => head[0] === 0x1f && head[1] === 0x8b && (head.length < 3 || head[2] === 8),
  decode,
};

/** The first bytes of a member. */
const MEMBER = Buffer.of(0x1f, 0x8b, 8);
/** Length of the content, at the end of a member. */
const LENGTH = 4;

/** What is known of the compressed bytes when zlib only says that they have ended. */
interface Seen {
  /** The last five bytes at least, where there are so many. */
  tail: Buffer;
  given: number;
  /** There may be a second member. */
  several: boolean;
}

async function* decode(input: Bytes): AsyncGenerator<Buffer> {
  const seen: Seen = { tail: Buffer.alloc(0), given: 0, several: false };
  let length = 0;
  const fault = (what: string, from: number, to: number): TallymanError => {
    if (what !== CUT || length === 0 || seen.tail.at(-1) === MEMBER[0]) return corrupt(what, from, to);
    // One byte behind a member is taken for the beginning of another, of which the rest is missing.
    const at = seen.tail.length - LENGTH - 1;
    if (at >= 0 && seen.tail.readUInt32LE(at) === length % 2 ** 32) return corrupt(BEHIND, to - 1, to - 1);
    return corrupt(seen.several ? 'is cut off, or holds another byte behind its end: it ends' : CUT, from, to);
  };
  for await (const chunk of inflate(createGunzip({ chunkSize: OUTPUT }), watched(input, seen), fault)) {
    length += chunk.length;
    yield chunk;
  }
}

async function* watched(input: Bytes, seen: Seen): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    seen.several ||= chunk.indexOf(MEMBER, seen.given === 0 ? 1 : 0) >= 0;
    seen.tail = Buffer.concat([seen.tail, chunk.subarray(-LENGTH - 1)]).subarray(-LENGTH - 1);
    seen.given += chunk.length;
    yield chunk;
  }
}

const WHOLE =
  'The data before that place is whole. gzip and zcat pass over what stands behind it, which could be more data: ' +
  'ask the supplier to send the file without it.';

const corrupt = (what: string, from: number, to: number): TallymanError =>
  new TallymanError(
    'FILE_CORRUPT',
    `The gzip file ${what} ${placeOf(from, to)}.`,
    what === BEHIND ? { fix: WHOLE } : {},
  );
