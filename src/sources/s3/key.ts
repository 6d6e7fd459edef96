import { TallymanError } from '../../core/errors.js';
import { splitExtensions, splitPath } from '../common/extensions.js';

/** The longest key that S3 takes, bytes of UTF-8. */
const KEY_MAX = 1_024;
/** Keys tried beside the first one, see namesBeside. */
const TRIES = 100;

/**
 * A path of this source is the key, character by character: S3 knows no folders, so `../a`, `/a` and `a//b` are names
 * like any other. Throws FILE_NOT_TAKEN for what is no key.
 */
export function keyOf(path: string): string {
  const refused = keyRefused(path);
  if (refused !== null) throw new TallymanError('FILE_NOT_TAKEN', `${path === '' ? '(empty)' : path}: ${refused}`);
  return path;
}

/** Why a key cannot be a path; null when it can. A NUL fits neither XML nor PostgreSQL's text. */
export function keyRefused(key: string): string | null {
  if (key === '') return 'an empty key';
  if (key.includes('\0')) return 'its key holds a NUL';
  if (Buffer.byteLength(key) > KEY_MAX) return `its key is longer than ${KEY_MAX} bytes`;
  return null;
}

/**
 * A key as a listing with encoding-type=url writes it: AWS puts + for a blank, others %20, and a plus is %2B with both.
 * null = its bytes are no UTF-8, and no request could ask for it.
 */
export function decodeListed(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

export const s3Uri = (bucket: string, key: string): string =>
  `s3://${bucket}/${encodeURI(key).replace(/[?#]/g, encodeURIComponent)}`;

/** Header x-amz-copy-source. */
export const copySource = (bucket: string, key: string): string =>
  [bucket, ...key.split('/')].map(encodeURIComponent).join('/');

/**
 * The version token: the ETag and the second of LastModified, as both a listing and HEAD tell them (HEAD has whole
 * seconds; a listing has no version id). The ETag alone would do for content, but a marker of 0 bytes that is put again
 * has the same one. Never a hash: multi-part and encrypted objects have ETags that are none.
 */
export const versionToken = (etag: string, modified: Date): string =>
  `${bareEtag(etag)}@${Math.floor(modified.getTime() / 1_000)}`;

/** The ETag of a token, as If-Match wants it. */
export function etagOf(version: string): string {
  const bare = version.slice(0, version.lastIndexOf('@'));
  return bare.startsWith('W/') ? bare : `"${bare}"`;
}

/** Without its quotes: stores give it with and without. */
export const bareEtag = (etag: string): string => (etag.startsWith('W/') ? etag : etag.replaceAll('"', ''));

/**
 * A key, and others beside it for when it is taken: with the suffix before its extensions, then numbered. Cut to
 * KEY_MAX at a character.
 */
export function* keysBeside(key: string, suffix: string): Generator<string, void, undefined> {
  yield key;
  const { folder, name } = splitPath(key);
  const { stem, extensions } = splitExtensions(name);
  for (let i = 1; i <= TRIES; i++) {
    const addition = (i === 1 ? `-${suffix}` : `-${suffix}-${i}`) + extensions;
    const room = KEY_MAX - Buffer.byteLength(folder + addition);
    let end = stem.length;
    while (end > 0 && Buffer.byteLength(stem.slice(0, end)) > room) end -= isLowSurrogate(stem, end - 1) ? 2 : 1;
    yield folder + stem.slice(0, end) + addition;
  }
}

const isLowSurrogate = (text: string, at: number): boolean => /[\uDC00-\uDFFF]/.test(text.charAt(at));
