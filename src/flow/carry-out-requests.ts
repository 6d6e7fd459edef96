import { randomUUID } from 'node:crypto';
import { TallymanError } from '../core/errors.js';
import type { FileEntry } from '../core/entry.js';
import type { Queue } from '../core/ledger/queue.js';
import type { Request, Requests } from '../core/ledger/requests.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Receipts } from '../core/receipts.js';
import { requestAllowed, requestEffect, requestMustWait } from '../ledger/rules/request-rules.js';
import type { Log } from '../core/log.js';

interface RequestParts {
  readonly ledger: Requests & Pick<Queue, 'entry'> & Pick<Surroundings, 'instanceId'>;
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
  for (const request of await parts.ledger.openRequests()) {
    const entry = await parts.ledger.entry(request.fileId);
    if (entry !== null && (parts.isBusy(entry.fileId) || requestMustWait(request.kind, entry))) continue;
    const refusal =
      entry === null
        ? new TallymanError('UNKNOWN_FILE', `file ${request.fileId} is not in the ledger`)
        : requestAllowed(request.kind, entry);
    if (entry === null || refusal !== null) {
      await parts.ledger.closeRequest(request.requestId, { ok: false, message: refusal?.message ?? '' });
      continue;
    }
    await carryOut(parts, request, entry);
    await parts.ledger.closeRequest(request.requestId, { ok: true, message: '' });
    parts.log.info(
      { feed: entry.feed, file_id: entry.fileId, actor: request.actor },
      `${request.kind}: ${entry.file.path}`,
    );
    parts.changed(entry.feed);
    done++;
  }
  return done;
}

async function carryOut(parts: RequestParts, request: Request, entry: FileEntry): Promise<void> {
  const { ledger, receipts } = parts;
  if (request.kind === 'clear') {
    // Of a reprocess that was asked for and has not run, the live load is the one that is cleared.
    const loadId = entry.liveLoadId ?? entry.loadId;
    if (loadId !== null) await receipts.clear([loadId]);
  }
  if (request.kind === 'ignore' && entry.liveLoadId === null) {
    const { feed, file, uri } = entry;
    // A receipt, so that a rebuilt ledger knows that a person decided this.
    await receipts.adopt(
      [
        {
          loadKey: randomUUID(),
          feed,
          path: file.path,
          fileUri: uri,
          size: file.size,
          mtimeUs: file.mtimeUs,
          version: file.version,
          target: parts.target(feed) ?? '',
        },
      ],
      { instanceId: ledger.instanceId, host: parts.host },
    );
  }
  const { to, change } = requestEffect(request.kind, entry);
  await ledger.transition(
    entry.fileId,
    to,
    change,
    request.actor,
    request.reason === '' ? request.kind : `${request.kind}: ${request.reason}`,
  );
}
