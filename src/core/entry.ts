import type { SeenFile } from './file.js';
import type { FileEntry } from './ledger.js';

/** How the bytes stand now: under their own name, or where an after action put them. */
export const standsAs = (entry: FileEntry): SeenFile => entry.movedTo ?? entry.file;

/**
 * A person named this file to `tallyman load`: its path is absolute, and no pattern, marker or after action of the feed
 * applies to it.
 */
export const isNamed = (entry: FileEntry): boolean =>
  entry.uri.startsWith('file:///') && entry.file.path.startsWith('/');
