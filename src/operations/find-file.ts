import { resolve } from 'node:path';
import type { FileEntry } from '../core/entry.js';
import { TallymanError } from '../core/errors.js';
import type { Queue } from '../core/ledger/queue.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Reading } from '../core/ledger/reading.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { FileDetail, FileReport } from '../core/report.js';
import { fileUri } from '../sources/common/path-name.js';

/** Entries of one name that are looked at. */
const MOST_NAMED = 1_000;

/** The part of the ledger that knows files by their IDs. */
export type Finding = Pick<Queue, 'entry'> & Pick<ReceiptBook, 'byLoadId'>;

/** `id` is a file's ID, or `load:N`. Throws USAGE when it is neither, and UNKNOWN_FILE. */
export async function findFile(ledger: Finding, id: string): Promise<FileEntry> {
  const load = loadIdOf(id);
  if (load === null && !/^\d+$/.test(id))
    throw new TallymanError('USAGE', `${id}: not a file id (a number, or load:N)`);
  const entry = load === null ? await ledger.entry(Number(id)) : await ledger.byLoadId(load);
  if (entry === null)
    throw new TallymanError('UNKNOWN_FILE', `the ledger knows no ${load === null ? `file ${id}` : `load ${load}`}`);
  return entry;
}

/** The part of the ledger that knows files by their names, too. */
export type FindingByName = Finding & Pick<Queue, 'versions'> & Pick<Surroundings, 'feeds'> & Pick<Reading, 'files'>;

/** A file that a name means, and others that it may mean as well. */
export interface Named {
  readonly entry: FileEntry;
  readonly others: readonly FileReport[];
}

/** Others that are listed. */
const OTHERS = 5;

/**
 * `id` as findFile takes it, or the file's path as the ledger has it, its place on this host (`here`: the working
 * directory), its URI, or its name alone. Of several the newest. Throws UNKNOWN_FILE.
 */
export async function findNamed(ledger: FindingByName, id: string, here: string): Promise<Named> {
  const isId = loadIdOf(id) !== null || /^\d+$/.test(id);
  if (isId) {
    const entry = loadIdOf(id) === null ? await ledger.entry(Number(id)) : await findFile(ledger, id);
    if (entry !== null) return { entry, others: [] };
  }
  const found = await byPath(ledger, id);
  const reports = found.length > 0 ? found : await byName(ledger, id, here);
  const [newest, ...others] = [...reports].sort((a, b) => b.file_id - a.file_id);
  const entry = newest === undefined ? null : await ledger.entry(newest.file_id);
  if (entry === null)
    throw new TallymanError(
      'UNKNOWN_FILE',
      isId ? `the ledger knows no file ${id}` : `the ledger knows no file of the name ${id}: it was never taken`,
      isId
        ? {}
        : {
            fix: '`tallyman files --match GLOB` lists what was taken; `tallyman run --once` says what waits.',
          },
    );
  return { entry, others: others.slice(0, OTHERS) };
}

/** The newest version of this very path in each feed. */
async function byPath(ledger: FindingByName, path: string): Promise<readonly FileReport[]> {
  const ids: number[] = [];
  for (const { name } of await ledger.feeds())
    ids.push(...(await ledger.versions(name, path, 1)).map(({ fileId }) => fileId));
  return ids.length === 0 ? [] : await ledger.files({ ids, limit: 0 });
}

/** Of each path that is meant, the newest version. All names are looked through: they have no index. */
async function byName(ledger: FindingByName, id: string, here: string): Promise<readonly FileReport[]> {
  const name = id.slice(id.lastIndexOf('/') + 1);
  if (name === '') return [];
  const place = isUri(id) ? id : fileUri(Buffer.from(resolve(here, id)));
  const reports = await ledger.files({ match: name.replace(/[^\p{L}\p{N}_.-]/gu, '\\$&'), limit: MOST_NAMED });
  const meant = id.includes('/')
    ? reports.filter(({ uri, path }) => uri === place || path.endsWith(`/${id}`))
    : reports;
  const newest = new Map<string, FileReport>();
  for (const report of meant) {
    const key = JSON.stringify([report.feed, report.path]);
    if (!newest.has(key)) newest.set(key, report);
  }
  return [...newest.values()];
}

const isUri = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//.test(text);

/** The same with its history. */
export async function findDetail(ledger: Finding & Pick<Reading, 'detail'>, id: string): Promise<FileDetail> {
  const detail = await ledger.detail((await findFile(ledger, id)).fileId);
  if (detail === null) throw new TallymanError('UNKNOWN_FILE', `the ledger knows no file ${id}`);
  return detail;
}

/** N of `load:N`; null = not of that form. */
export function loadIdOf(id: string): number | null {
  const load = /^load:(\d+)$/.exec(id)?.[1];
  return load === undefined ? null : Number(load);
}
