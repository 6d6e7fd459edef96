import { TallymanError } from '../../core/errors.js';
import { namesBeside } from '../common/names-beside.js';

/**
 * A path of a bucket's source is the key, character by character: object stores know no folders, so `../a`, `/a` and
 * `a//b` are names like any other. Throws FILE_NOT_TAKEN for what is no key.
 */
export function keyOf(path: string, keyMax: number): string {
  const refused = keyRefused(path, keyMax);
  if (refused !== null) throw new TallymanError('FILE_NOT_TAKEN', `${path === '' ? '(empty)' : path}: ${refused}`);
  return path;
}

/**
 * Why a key cannot be a path; null when it can. A NUL fits neither XML nor PostgreSQL's text. `keyMax`: bytes of UTF-8.
 */
export function keyRefused(key: string, keyMax: number): string | null {
  if (key === '') return 'an empty key';
  if (key.includes('\0')) return 'its key holds a NUL';
  if (Buffer.byteLength(key) > keyMax) return `its key is longer than ${keyMax} bytes`;
  return null;
}

/** A key, and others beside it for when it is taken, as namesBeside makes them. Cut to keyMax at a character. */
export const keysBeside = (key: string, suffix: string, keyMax: number): Generator<string, void, undefined> =>
  namesBeside(key, suffix, (stem, ending, folder) => {
    const room = keyMax - Buffer.byteLength(folder + ending);
    let end = stem.length;
    while (end > 0 && Buffer.byteLength(stem.slice(0, end)) > room) end -= isLowSurrogate(stem, end - 1) ? 2 : 1;
    return stem.slice(0, end);
  });

const isLowSurrogate = (text: string, at: number): boolean => /[\uDC00-\uDFFF]/.test(text.charAt(at));
