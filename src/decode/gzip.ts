import { createGunzip } from 'node:zlib';
import type { Decoder } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';
import type { Bytes } from '../core/format.js';
import { OUTPUT, inflate, placeOf } from './inflate.js';

/**
 * gzip (RFC 1952), all members; checksum and length of each are proven by zlib. Anything but members is FILE_CORRUPT,
 * padding with zeros too: what stands behind it would be lost.
 */
export const gzip: Decoder = {
  name: 'gzip',
  extensions: ['.gz', '.gzip', '.tgz'],
  matches: (head) => head[0] === 0x1f && head[1] === 0x8b && (head.length < 3 || head[2] === 8),
  decode: (input: Bytes) => inflate(createGunzip({ chunkSize: OUTPUT }), input, corrupt),
};

const corrupt = (what: string, from: number, to: number): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The gzip file ${what} ${placeOf(from, to)}.`);
