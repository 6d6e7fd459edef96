import { createHash } from 'node:crypto';
import type { SeenFile } from '../../../src/core/file.js';
import type { EndOfFile, EndResult } from '../../../src/core/ledger/queue.js';
import type { FileEntry } from '../../../src/core/entry.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import type { ReceiptRef } from '../../../src/core/receipts.js';
import type { RowCounts } from '../../../src/core/report.js';

let token = 0;

/** A look at a path with a version token that was never seen before. */
export function look(name: string, size = 100, mtimeUs: number | null = 1_800_000_000_000_000): SeenFile {
  return { path: name, size, mtimeUs, version: `v${++token}` };
}

export const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex');

export const counts = (read: number): RowCounts => ({
  read,
  loaded: read,
  quarantined: 0,
  skipped: 0,
  declared: null,
  delta: 0,
});

export function discover(ledger: Ledger, file: SeenFile, feed = 'orders'): Promise<FileEntry> {
  return ledger.discover({ feed, file, uri: `file:///drop/${file.path}`, settleSeconds: 5 }, 'daemon');
}

let loads = 0;

export interface LoadedAs {
  readonly content?: string;
  readonly rows?: number;
  readonly replaced?: readonly number[];
  readonly duplicateAllowed?: boolean;
  readonly more?: Partial<EndOfFile>;
}

/** Claims and ends an entry as loaded. */
export async function load(ledger: Ledger, entry: FileEntry, as: LoadedAs = {}): Promise<EndResult> {
  const loadId = ++loads;
  const sha256 = hashOf(as.content ?? `content ${loadId}`);
  const claim = {
    loadKey: `key-${loadId}`,
    sha256,
    duplicateAllowed: as.duplicateAllowed ?? false,
    generation: entry.generation,
    worker: entry.owner ?? DAEMON,
  };
  await ledger.claim(entry.fileId, claim, 'daemon');
  return ledger.end(
    entry.fileId,
    { state: 'loaded', sha256, loadId, rows: counts(as.rows ?? 10), replaced: as.replaced ?? [], ...as.more },
    'daemon',
    `committed as load ${loadId}`,
  );
}

/** A new file, discovered and loaded. */
export async function loaded(
  ledger: Ledger,
  name: string,
  as: LoadedAs & { readonly file?: SeenFile; readonly feed?: string } = {},
): Promise<FileEntry> {
  const entry = await discover(ledger, as.file ?? look(name), as.feed);
  return (await load(ledger, entry, as)).entry;
}

/** A new file, discovered, claimed and ended in another way. */
export async function ended(ledger: Ledger, file: SeenFile, end: EndOfFile, feed?: string): Promise<FileEntry> {
  const entry = await discover(ledger, file, feed);
  return (await ledger.end(entry.fileId, end, 'daemon', 'test')).entry;
}

export const stateOf = async (ledger: Ledger, entry: { readonly fileId: number }): Promise<string | undefined> =>
  (await ledger.entry(entry.fileId))?.state;

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'no error';
}

/** A receipt as PostgreSQL would give it. Set `instanceId` to the ledger's own to make it an own one. */
export function receipt(change: Partial<ReceiptRef> = {}): ReceiptRef {
  const loadId = change.loadId ?? ++loads;
  return {
    loadId,
    loadKey: `receipt-${loadId}`,
    instanceId: 'another instance',
    feed: 'orders',
    path: 'a.csv',
    fileUri: 'file:///drop/a.csv',
    host: 'a host',
    sha256: hashOf(`receipt ${loadId}`),
    size: 100,
    mtimeUs: 1_800_000_000_000_000,
    version: `receipt version ${loadId}`,
    generation: 1,
    status: 'loaded',
    duplicateAllowed: false,
    rows: counts(10),
    errorCode: null,
    committedAt: '2026-11-20T06:00:00.000Z',
    replaces: [],
    ...change,
  };
}
