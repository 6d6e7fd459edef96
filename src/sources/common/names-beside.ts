import { isUtf8 } from 'node:buffer';
import { splitExtensions, splitPath } from './extensions.js';
import { decodeName, encodeName } from './path-name.js';

/** The longest name of a file on all common file systems, bytes. */
const NAME_MAX = 255;
/** Names tried beside the first: `-42`, `-42-2` ... More taken ones mean that something else is wrong. */
const TRIES = 100;

/** Cuts a stem so that it fits with its ending (addition and extensions) into what the place takes. */
type Cut = (stem: string, ending: string, folder: string) => string;

/**
 * A path, and others beside it for when it is taken: with the suffix before its extensions, then numbered. Cut at a
 * character, to NAME_MAX unless the place has another measure.
 */
export function* namesBeside(path: string, suffix: string, cut: Cut = cutName): Generator<string, void, undefined> {
  yield path;
  const { folder, name } = splitPath(path);
  const { stem, extensions } = splitExtensions(name);
  for (let i = 1; i <= TRIES; i++) {
    const ending = (i === 1 ? `-${suffix}` : `-${suffix}-${i}`) + extensions;
    yield folder + cut(stem, ending, folder) + ending;
  }
}

/** Whole characters, as the bytes that a file system sees. */
function cutName(stem: string, ending: string): string {
  const room = NAME_MAX - Buffer.byteLength(ending);
  const bytes = decodeName(stem);
  if (bytes.length <= room) return stem;
  let end = room;
  while (isUtf8(bytes) && !isUtf8(bytes.subarray(0, end))) end--;
  return encodeName(bytes.subarray(0, end));
}
