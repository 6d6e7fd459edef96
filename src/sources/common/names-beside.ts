import { isUtf8 } from 'node:buffer';
import { splitExtensions, splitPath } from './extensions.js';
import { decodeName, encodeName } from './path-name.js';

/** The longest name of a file on all common file systems, bytes. */
const NAME_MAX = 255;
/** Names tried beside the first: `-42`, `-42-2` ... More taken ones mean that something else is wrong. */
const TRIES = 100;

/**
 * A path, and others beside it for when it is taken: with the suffix before its extensions, then numbered. Cut to
 * NAME_MAX at a character.
 */
export function* namesBeside(path: string, suffix: string): Generator<string, void, undefined> {
  yield path;
  const { folder, name } = splitPath(path);
  const { stem, extensions } = splitExtensions(name);
  for (let i = 1; i <= TRIES; i++) {
    const addition = i === 1 ? `-${suffix}` : `-${suffix}-${i}`;
    yield `${folder}${cut(stem, NAME_MAX - Buffer.byteLength(addition + extensions))}${addition}${extensions}`;
  }
}

/** At most `room` bytes of a name, whole characters. */
function cut(stem: string, room: number): string {
  const bytes = decodeName(stem);
  if (bytes.length <= room) return stem;
  let end = room;
  while (isUtf8(bytes) && !isUtf8(bytes.subarray(0, end))) end--;
  return encodeName(bytes.subarray(0, end));
}
