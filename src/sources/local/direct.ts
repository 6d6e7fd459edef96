import { TallymanError } from '../../core/errors.js';
import type { ListingPage, SeenFile } from '../../core/file.js';
import type { Source } from '../../core/source.js';
import { readVersion, readWhole } from './open.js';
import { kindRefused, seenFile } from './look.js';
import { LocalRoot } from './root.js';
import { encodeName, fileUri, pathRefused } from '../common/path-name.js';

/**
 * Files that a person named: `tallyman load FILE`. The path is the absolute path; pattern, settle, ready and after do
 * not apply, and links in the folders on the way are the person's own. A link in place of the file is refused like
 * everywhere.
 */
const root = new LocalRoot('/', { plain: false });
const below = (path: string): string => path.replace(/^\/+/, '');
const refuse = (what: string): never => {
  throw new TallymanError('INTERNAL', `files named on the command line are not ${what}`);
};

export const direct: Source = {
  type: 'direct',
  uri: (path) => fileUri(root.absolute(below(path))),
  localPath: (path) => encodeName(root.absolute(below(path))),
  list: () => emptyListing(),
  stat: look,
  statMarker: look,
  open: (file, offset, signal) => readVersion(root, { ...file, path: below(file.path) }, offset, signal),
  readSmall: (path, limit) => readWhole(root, below(path), limit),
  remove: () => refuse('deleted'),
  move: () => refuse('moved'),
  probe: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};

async function look(path: string): Promise<SeenFile | null> {
  const stats = await root.lstat(below(path));
  const refused = stats === null ? null : (kindRefused(stats) ?? pathRefused(path));
  if (refused !== null) throw new TallymanError('FILE_NOT_TAKEN', `${path}: ${refused}`);
  return stats === null ? null : seenFile(path, stats);
}

async function* emptyListing(): AsyncGenerator<ListingPage, void, undefined> {
  // Nothing arrives here by itself.
}
