import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import { standsAs, type FileEntry } from '../../core/entry.js';
import { TallymanError } from '../../core/errors.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import { sameVersion, type SeenFile } from '../../core/file.js';
import type { Arrivals } from '../../core/ledger/arrivals.js';
import type { FileSelector, Reading } from '../../core/ledger/reading.js';
import type { Queue } from '../../core/ledger/queue.js';
import type { RequestKind, Requests } from '../../core/ledger/requests.js';
import type { FileReport } from '../../core/report.js';
import type { Source } from '../../core/source.js';
import { isOpen, type FileState } from '../../core/states.js';
import { bytesThere } from '../../flow/bytes-there.js';
import type { Landing } from '../../flow/landing.js';
import { liveOfPath } from '../../flow/carry-out-requests.js';
import { commandOf, requestAllowed } from '../../ledger/rules/request-rules.js';
import { findFile, type Finding } from '../find-file.js';

/** Milliseconds between two looks for the outcome. */
const LOOK_MS = 200;
const LOOKS_A_SECOND = 5;

interface CheckParts {
  readonly config: Pick<Config, 'feeds'>;
  /** Throws UNKNOWN_FEED. */
  feed(name: string): FeedSpec;
  ledger(): Finding & Pick<Reading, 'files'> & Pick<Queue, 'versions'>;
  source(feed: FeedSpec): Source;
  landing(): Pick<Landing, 'copyOf'>;
}

export interface RequestInput {
  readonly kind: RequestKind;
  /** As findFile takes them. Empty = the selection says which. */
  readonly ids: readonly string[];
  /** null = nothing was selected: then there must be IDs. */
  readonly selector: FileSelector | null;
  /** reprocess only: from the landed copy, whatever stands at the source. */
  readonly fromLanding: boolean;
}

/** What is about to be asked for. */
export interface CheckedRequest {
  readonly kind: RequestKind;
  readonly files: readonly CheckedFile[];
}

interface CheckedFile {
  readonly entry: FileEntry;
  /** How the bytes that will be read again stand now; null = nothing is read again. */
  readonly stands: SeenFile | null;
}

/** The items of what was asked for, or with request_id null of what would be. */
export interface RequestDocument {
  readonly items: readonly RequestItem[];
}

export interface RequestItem {
  readonly request_id: number | null;
  readonly kind: RequestKind;
  readonly file_id: number;
  readonly feed: string;
  readonly path: string;
  readonly state: FileState;
}

/**
 * All or nothing: one file for which it cannot be done refuses the whole request before anything is written. Throws
 * USAGE, UNKNOWN_FEED, UNKNOWN_FILE, WRONG_STATE and SOURCE_GONE. Writes nothing.
 */
export async function checkRequest(parts: CheckParts, input: RequestInput): Promise<CheckedRequest> {
  const { kind } = input;
  const entries = await chosen(parts, input);
  for (const entry of entries) {
    const refusal = requestAllowed(kind, entry);
    if (refusal !== null) throw refusal;
    if (kind === 'release-replace' && (await liveOfPath(parts.ledger(), entry)).length === 0)
      throw new TallymanError(
        'WRONG_STATE',
        `File ${entry.fileId} (${entry.feed}: ${entry.file.path}): no other version of its path is loaded, ` +
          'so there is nothing to replace.',
        { fix: `Without --replace: \`tallyman release ${entry.fileId}\`.` },
      );
  }
  const files: CheckedFile[] = [];
  for (const entry of entries) {
    const stands =
      kind !== 'reprocess'
        ? null
        : await bytesThere(entry, sourceFor(parts, entry), {
            copy: await parts.landing().copyOf(entry),
            only: input.fromLanding,
          });
    files.push({ entry, stands });
  }
  return { kind, files };
}

/** The document of a request that is only tried. */
export const describeRequest = ({ kind, files }: CheckedRequest): RequestDocument => ({
  items: files.map(({ entry }) => itemOf(kind, entry, null)),
});

/** Asks for it, in the ledger: a running daemon acts within a second, else the next run. */
export async function placeRequest(
  parts: { ledger(): Pick<Arrivals, 'touch'> & Pick<Requests, 'request'> },
  { kind, files }: CheckedRequest,
  by: { readonly actor: string; readonly reason: string },
): Promise<RequestDocument> {
  const ledger = parts.ledger();
  const items: RequestItem[] = [];
  for (const { entry, stands } of files) {
    // The same bytes, touched since they were seen: or the next listing would take them for another version.
    if (stands !== null && !isOpen(entry.state) && !sameVersion(stands, standsAs(entry)))
      await ledger.touch(entry.fileId, stands);
    items.push(itemOf(kind, entry, await ledger.request({ kind, fileId: entry.fileId, ...by })));
  }
  return { items };
}

const itemOf = (kind: RequestKind, entry: FileEntry, requestId: number | null): RequestItem => ({
  request_id: requestId,
  kind,
  file_id: entry.fileId,
  feed: entry.feed,
  path: entry.file.path,
  state: entry.state,
});

/** What became of one request. */
export interface RequestOutcome {
  readonly file_id: number;
  /** False = refused, `message` says why. */
  readonly ok: boolean;
  readonly message: string;
  /** The file as it ended again; null when it is gone from the ledger. */
  readonly report: FileReport | null;
}

interface OutcomeParts {
  ledger(): Pick<Requests, 'requestResult'> & Pick<Reading, 'files'>;
}

/** What became of a request that was carried out and whose file has ended again; null = that is still to come. */
export async function requestOutcome(
  parts: OutcomeParts,
  { request_id: requestId, file_id: fileId }: RequestItem,
): Promise<RequestOutcome | null> {
  if (requestId === null) return null;
  const ledger = parts.ledger();
  const result = await ledger.requestResult(requestId);
  const report = (await ledger.files({ ids: [fileId], limit: 1 }))[0] ?? null;
  if (result === null || (result.ok && (report === null || isOpen(report.state)))) return null;
  return { file_id: fileId, ok: result.ok, message: result.message, report };
}

/**
 * Each request when it is carried out and its file has ended again, in their order. Ends early at the signal, and when
 * nobody works on them any more.
 */
export async function* requestOutcomes(
  parts: OutcomeParts,
  items: readonly RequestItem[],
  signal: AbortSignal,
  isWorkedOn: () => boolean,
): AsyncIterable<RequestOutcome> {
  for (const item of items) {
    let outcome: RequestOutcome | null = null;
    for (let look = 0; outcome === null; look++) {
      if (signal.aborted) return;
      await pause(LOOK_MS);
      outcome = await requestOutcome(parts, item);
      if (outcome === null && look % LOOKS_A_SECOND === 0 && !isWorkedOn()) return;
    }
    yield outcome;
  }
}

async function chosen(parts: CheckParts, { kind, ids, selector }: RequestInput): Promise<readonly FileEntry[]> {
  const ledger = parts.ledger();
  if (selector?.feed !== undefined) parts.feed(selector.feed);
  const entries: FileEntry[] = [];
  if (ids.length > 0) {
    for (const id of ids) entries.push(await findFile(ledger, id));
    if (selector !== null) await mustMeet(ledger, entries, selector);
    return [...new Map(entries.map((entry) => [entry.fileId, entry])).values()];
  }
  if (selector === null)
    throw new TallymanError('USAGE', `${commandOf(kind)} needs file ids, or a selection such as --feed or --state`);
  for (const report of await ledger.files(selector)) {
    const entry = await ledger.entry(report.file_id);
    // A selection takes those that it fits; an id that does not fit is an error.
    if (entry !== null && requestAllowed(kind, entry) === null) entries.push(entry);
  }
  return entries;
}

/** IDs and a selection: an ID outside the selection is a slip of the hand, and then nothing is done. */
async function mustMeet(
  ledger: Pick<Reading, 'files'>,
  entries: readonly FileEntry[],
  selector: FileSelector,
): Promise<void> {
  const ids = entries.map((entry) => entry.fileId);
  const met = new Set((await ledger.files({ ...selector, ids, limit: 0 })).map((report) => report.file_id));
  const outside = ids.filter((id) => !met.has(id));
  if (outside.length > 0)
    throw new TallymanError('USAGE', `file ${outside.join(', ')} does not meet the selection; nothing was changed`);
}

/** null = the feed is not in the config any more. */
function sourceFor(parts: CheckParts, entry: FileEntry): (() => Source) | null {
  const feed = parts.config.feeds.find((candidate) => candidate.name === entry.feed);
  return feed === undefined ? null : () => parts.source(feed);
}
