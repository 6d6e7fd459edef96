import { TallymanError } from '../../core/errors.js';
import type {
  EntryChange,
  KnownRequest,
  NewRequest,
  Request,
  RequestKind,
  Requests,
} from '../../core/ledger/requests.js';
import type { FileEntry } from '../../core/entry.js';
import type { FileState } from '../../core/states.js';
import { planTransition } from '../rules/transition.js';
import { apply } from './apply.js';
import { mustFind, type Cause } from './change.js';
import { receiptsOf } from './receipt-rows.js';
import { requestAllowed } from '../rules/request-rules.js';
import { flag, int, intOrNull, iso, state, text } from './entry-rows.js';
import type { Row, Store } from './store/store.js';

const KINDS: readonly RequestKind[] = ['reprocess', 'clear', 'retry', 'release', 'release-replace', 'ignore', 'unload'];
const REQUESTS_AT_ONCE = 1_000;

/** What operators ask for, and how it is carried out. */
export function requests(store: Store): Requests {
  return {
    request: (request) => store.write(() => ask(store, request)),
    openRequests: (limit = REQUESTS_AT_ONCE) =>
      store.read(() =>
        store.all('select * from request where closed_at is null order by request_id limit ?', limit).map(toRequest),
      ),
    closeRequest: (requestId, result) =>
      store.write(() => {
        const { changes } = store.run(
          `update request set closed_at = coalesce(closed_at, ?), ok = coalesce(ok, ?), message = coalesce(message, ?)
           where request_id = ?`,
          store.now(),
          result.ok ? 1 : 0,
          result.message,
          requestId,
        );
        if (changes === 0) throw new TallymanError('USAGE', `The ledger knows no request ${requestId}.`);
      }),
    requests: (recent) => store.read(() => known(store, recent)),
    cancelRequest: (requestId, message) =>
      store.write(() => {
        const { changes } = store.run(
          'update request set closed_at = ?, ok = 0, message = ? where request_id = ? and closed_at is null',
          store.now(),
          message,
          requestId,
        );
        if (changes > 0) return true;
        return store.value('select request_id from request where request_id = ?', requestId) === undefined
          ? null
          : false;
      }),
    requestResult: (requestId) =>
      store.read(() => {
        const row = store.get('select closed_at, ok, message from request where request_id = ?', requestId);
        return row === null || intOrNull(row, 'closed_at') === null
          ? null
          : { ok: flag(row, 'ok'), message: text(row, 'message') };
      }),
    transition: (fileId, to, change, actor, reason) =>
      store.write(() => transition(store, fileId, to, change, { actor, reason, at: store.now() })),
  };
}

/** What `request` is read with, to be told to people. */
const KNOWN = `select r.*, e.path as path, e.state as file_state, f.name as feed
   from request r join entry e using (file_id) join feed f using (feed_id)`;

function known(store: Store, recent: number): readonly KnownRequest[] {
  const last = store.value('select max(request_id) from request');
  const from = (typeof last === 'number' ? last : 0) - recent;
  const open = store.all(
    `${KNOWN} where r.closed_at is null and r.request_id <= ? order by r.request_id desc limit ${REQUESTS_AT_ONCE}`,
    from,
  );
  const newest = store.all(`${KNOWN} where r.request_id > ? order by r.request_id desc`, from);
  return [...newest, ...open].map((row) => {
    const closedAt = intOrNull(row, 'closed_at');
    return {
      ...toRequest(row),
      feed: text(row, 'feed'),
      path: text(row, 'path'),
      fileState: state(row, 'file_state'),
      closed: closedAt === null ? null : { at: iso(closedAt), ok: flag(row, 'ok'), message: text(row, 'message') },
    };
  });
}

function ask(store: Store, request: NewRequest): number {
  const refused = requestAllowed(request.kind, mustFind(store, request.fileId));
  if (refused !== null) throw refused;
  const equal = store.value(
    'select request_id from request where closed_at is null and kind = ? and file_id = ?',
    request.kind,
    request.fileId,
  );
  if (typeof equal === 'number') return equal;
  return store.run(
    'insert into request (kind, file_id, actor, reason, created_at) values (?, ?, ?, ?, ?)',
    request.kind,
    request.fileId,
    request.actor,
    request.reason,
    store.now(),
  ).lastId;
}

function transition(store: Store, fileId: number, to: FileState, change: EntryChange, cause: Cause): FileEntry {
  const entry = mustFind(store, fileId);
  const live = to === 'cleared' || change.liveLoadId === null ? liveReceipts(store, entry) : [];
  apply(store, planTransition(entry, to, change, live, iso(cause.at)), cause);
  return mustFind(store, fileId);
}

function liveReceipts(store: Store, { fileId, liveLoadId }: FileEntry): readonly string[] {
  if (liveLoadId === null) return [];
  return receiptsOf(store, liveLoadId, ['loaded']).flatMap((receipt) =>
    receipt.fileId === fileId ? [receipt.loadKey] : [],
  );
}

function toRequest(row: Row): Request {
  const kind = KINDS.find((name) => name === row['kind']);
  if (kind === undefined) throw new TallymanError('LEDGER_UNUSABLE', 'The ledger holds a request of an unknown kind.');
  return {
    requestId: int(row, 'request_id'),
    kind,
    fileId: int(row, 'file_id'),
    actor: text(row, 'actor'),
    reason: text(row, 'reason'),
    createdAt: iso(int(row, 'created_at')),
  };
}
