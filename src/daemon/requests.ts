import { randomUUID } from 'node:crypto';
import { TallymanError } from '../core/errors.js';
import type { FileEntry, Ledger, Request } from '../core/ledger.js';
import type { Receipts } from '../core/target.js';
import { requestAllowed } from '../ledger/request-rules.js';
import type { Log } from './log.js';

interface RequestParts {
  readonly ledger: Ledger;
  readonly receipts: Receipts;
  readonly log: Log;
  /** A load of this entry is under way: the request waits for its end. */
  isBusy(fileId: number): boolean;
  /** Is there such a feed in the config, and what is its target? null = the feed has gone. */
  target(feed: string): string | null;
  changed(feed: string): void;
}

/**
 * Carries out what operators asked for (SPEC 4), in the order asked. PostgreSQL first, then the ledger: a crash in between is repeated without harm. A
 * request that is no longer allowed is closed with the reason, and nothing changes.
 */
export async function carryOutRequests(parts: RequestParts): Promise<number> {
  let done = 0;
  for (const request of await parts.ledger.openRequests()) {
    const entry = await parts.ledger.entry(request.fileId);
    if (entry !== null && (parts.isBusy(entry.fileId) || entry.state === 'loading' || entry.state === 'landing')) continue;
    const refusal = entry === null ? new TallymanError('UNKNOWN_FILE', `file ${request.fileId} is not in the ledger`) : requestAllowed(request.kind, entry);
    if (entry === null || refusal !== null) {
      await parts.ledger.closeRequest(request.requestId, { ok: false, message: refusal?.message ?? '' });
      continue;
    }
    await carryOut(parts, request, entry);
    await parts.ledger.closeRequest(request.requestId, { ok: true, message: '' });
    parts.log.info({ feed: entry.feed, file_id: entry.fileId, actor: request.actor }, `${request.kind}: ${entry.file.path}`);
    parts.changed(entry.feed);
    done++;
  }
  return done;
}

async function carryOut(parts: RequestParts, request: Request, entry: FileEntry): Promise<void> {
  const { ledger, receipts } = parts;
  const reason = request.reason === '' ? request.kind : `${request.kind}: ${request.reason}`;
  switch (request.kind) {
    case 'reprocess': {
      // The old receipt is touched only by the new load's own COMMIT: when that fails, the old load stays live.
      const replaces = entry.loadId === null ? [] : [entry.loadId];
      await ledger.transition(entry.fileId, 'discovered', { replaces, generation: entry.generation + 1, released: true, afterAction: false, attempts: 0 }, request.actor, reason);
      return;
    }
    case 'clear':
      if (entry.loadId !== null) await receipts.clear([entry.loadId]);
      await ledger.transition(entry.fileId, 'cleared', {}, request.actor, reason);
      return;
    case 'retry':
      await ledger.transition(entry.fileId, 'discovered', { attempts: 0 }, request.actor, reason);
      return;
    case 'release':
      await ledger.transition(entry.fileId, 'discovered', { released: true, duplicateAllowed: true, attempts: 0 }, request.actor, reason);
      return;
    case 'ignore': {
      const { feed, file, uri } = entry;
      const adopted = { loadKey: entry.loadKey ?? randomUUID(), feed, path: file.path, fileUri: uri, size: file.size, mtimeUs: file.mtimeUs, version: file.version, target: parts.target(feed) ?? '' };
      // A receipt, so that a rebuilt ledger knows that a person decided this.
      if (entry.loadId === null) await receipts.adopt([adopted], ledger.instanceId);
      await ledger.transition(entry.fileId, 'ignored', {}, request.actor, reason);
    }
  }
}
