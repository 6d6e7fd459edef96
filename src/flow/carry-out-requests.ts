import { randomUUID } from 'node:crypto';
import { TallymanError } from '../core/errors.js';
import type { FileEntry } from '../core/entry.js';
import type { Queue } from '../core/ledger/queue.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Request, Requests } from '../core/ledger/requests.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { IgnoredFile, Receipts } from '../core/receipts.js';
import {
  commandOf,
  requestAllowed,
  requestEffect,
  requestMustWait,
  stagedLoad,
} from '../ledger/rules/request-rules.js';
import type { Log } from '../core/log.js';

export interface RequestParts {
  readonly ledger: Requests &
    Pick<Queue, 'entry' | 'versions'> &
    Pick<ReceiptBook, 'takeReceipts'> &
    Pick<Surroundings, 'instanceId'>;
  readonly receipts: Receipts;
  /** What this host is called in receipts. */
  readonly host: string;
  readonly log: Log;
  /** A load of this entry is under way: the request waits for its end. */
  isBusy(fileId: number): boolean;
  /** Is there such a feed in the config, and what is its target? null = the feed has gone. */
  target(feed: string): string | null;
  changed(feed: string): void;
}

/**
 * Carries out what operators asked for (docs/spec/commands.md#requests), in the order asked. PostgreSQL first, then the
 * ledger: a crash in between is repeated without harm. A request that is no longer allowed is closed with the reason,
 * and nothing changes.
 */
export async function carryOutRequests(parts: RequestParts): Promise<number> {
  let done = 0;
  for (const request of await parts.ledger.openRequests()) if (await carryOutOne(parts, request)) done++;
  return done;
}

/** False = it was refused, or waits for the end of what is under way. */
export async function carryOutOne(parts: RequestParts, request: Request): Promise<boolean> {
  const { ledger } = parts;
  // Cancelled while those before it were carried out.
  if ((await ledger.requestResult(request.requestId)) !== null) return false;
  const entry = await ledger.entry(request.fileId);
  if (entry !== null && (parts.isBusy(entry.fileId) || requestMustWait(request.kind, entry))) return false;
  const refusal =
    entry === null
      ? new TallymanError('UNKNOWN_FILE', `file ${request.fileId} is not in the ledger`)
      : isUnloaded(request, entry)
        ? null
        : requestAllowed(request.kind, entry);
  if (entry === null || refusal !== null) {
    await ledger.closeRequest(request.requestId, { ok: false, message: refusal?.message ?? '' });
    return false;
  }
  try {
    if (!isUnloaded(request, entry)) await carryOut(parts, request, entry);
  } catch (error) {
    const known = TallymanError.of(error);
    // What the table or its rights are against is no reason for other requests to wait.
    if (request.kind !== 'unload' || known.blame === 'pause') throw known;
    await ledger.closeRequest(request.requestId, { ok: false, message: known.message });
    parts.log.warn({ feed: entry.feed, file_id: entry.fileId, code: known.code }, `unload: ${known.message}`);
    return false;
  }
  await ledger.closeRequest(request.requestId, { ok: true, message: '' });
  parts.log.info(
    { feed: entry.feed, file_id: entry.fileId, actor: request.actor },
    `${commandOf(request.kind)}: ${entry.file.path}`,
  );
  parts.changed(entry.feed);
  return true;
}

/** The command and a daemon beside it both see to it: one of them has. */
const isUnloaded = (request: Request, entry: FileEntry): boolean =>
  request.kind === 'unload' && entry.state === 'ignored' && entry.liveLoadId === null;

async function carryOut(parts: RequestParts, request: Request, entry: FileEntry): Promise<void> {
  const { ledger, receipts } = parts;
  const by = { instanceId: ledger.instanceId, host: parts.host };
  const told = `${commandOf(request.kind)}${request.reason === '' ? '' : `: ${request.reason}`}`;
  const staged = stagedLoad(entry);
  if (request.kind === 'clear') {
    // Of a reprocess that was asked for and has not run, the live load is the one that is cleared.
    const loadId = entry.liveLoadId ?? entry.loadId;
    if (loadId !== null) await receipts.clear([loadId]);
  }
  // A receipt, so that a rebuilt ledger knows that a person decided this.
  if (request.kind === 'ignore' && entry.liveLoadId === null) await receipts.adopt([ignored(parts, entry)], by);
  const unloaded =
    request.kind === 'unload' && staged !== null
      ? await receipts.unload(staged, ignored(parts, entry), { ...by, note: told })
      : null;
  const { to, change } = requestEffect(request.kind, entry);
  const replaces = request.kind === 'release-replace' ? await liveOfPath(ledger, entry) : [];
  await ledger.transition(
    entry.fileId,
    to,
    replaces.length === 0 ? change : { ...change, replaces: [...new Set([...entry.replaces, ...replaces])] },
    request.actor,
    told,
  );
  if (unloaded !== null) await ledger.takeReceipts(await receipts.byIds([unloaded]));
}

/** Versions of one path that are looked through for live loads. */
const MOST_VERSIONS = 10_000;

/** The live loads of the entry's path, its own left out. */
export async function liveOfPath(ledger: Pick<Queue, 'versions'>, entry: FileEntry): Promise<readonly number[]> {
  const versions = await ledger.versions(entry.feed, entry.file.path, MOST_VERSIONS);
  return versions.flatMap(({ fileId, liveLoadId }) =>
    fileId === entry.fileId || liveLoadId === null ? [] : [liveLoadId],
  );
}

const ignored = (parts: Pick<RequestParts, 'target'>, { feed, file, uri }: FileEntry): IgnoredFile => ({
  loadKey: randomUUID(),
  feed,
  path: file.path,
  fileUri: uri,
  size: file.size,
  mtimeUs: file.mtimeUs,
  version: file.version,
  target: parts.target(feed) ?? '',
});
