import { TallymanError } from '../../core/errors.js';
import type { KnownRequest, RequestKind, Requests } from '../../core/ledger/requests.js';
import type { FileState } from '../../core/states.js';

/** Closed requests that are listed beside the open ones. */
const RECENT = 100;

export interface KnownRequestItem {
  readonly request_id: number;
  readonly kind: RequestKind;
  readonly file_id: number;
  readonly feed: string;
  readonly path: string;
  /** Of the request. `refused`: it could not be carried out, or was cancelled; `message` says it. */
  readonly state: 'open' | 'done' | 'refused';
  readonly file_state: FileState;
  readonly actor: string;
  readonly reason: string;
  readonly created_at: string;
  readonly closed_at: string | null;
  readonly message: string;
}

/** What operators asked for: all that is open, and the last of the rest; newest first. */
export async function requestList(parts: {
  ledger(): Pick<Requests, 'requests'>;
}): Promise<{ readonly items: readonly KnownRequestItem[] }> {
  return { items: (await parts.ledger().requests(RECENT)).map(itemOf) };
}

/**
 * Takes open requests back, all or none of what is wrong among them. Throws USAGE, and WRONG_STATE for one that was
 * carried out already.
 */
export async function cancelRequests(
  parts: { ledger(): Pick<Requests, 'requests' | 'cancelRequest'> },
  ids: readonly string[],
  actor: string,
): Promise<{ readonly items: readonly KnownRequestItem[] }> {
  const ledger = parts.ledger();
  const wanted = ids.map((id) => {
    if (!/^\d+$/.test(id))
      throw new TallymanError('USAGE', `${id}: not a number of a request`, {
        fix: '`tallyman requests` lists them.',
      });
    return Number(id);
  });
  for (const id of wanted) {
    const done = await ledger.cancelRequest(id, `cancelled by ${actor}`);
    if (done === null)
      throw new TallymanError('USAGE', `there is no request ${id}`, { fix: '`tallyman requests` lists them.' });
    if (!done)
      throw new TallymanError('WRONG_STATE', `request ${id} is closed already: nothing is left to cancel`, {
        fix: '`tallyman requests` shows what became of it.',
      });
  }
  return { items: (await ledger.requests(RECENT)).filter(({ requestId }) => wanted.includes(requestId)).map(itemOf) };
}

const itemOf = (request: KnownRequest): KnownRequestItem => ({
  request_id: request.requestId,
  kind: request.kind,
  file_id: request.fileId,
  feed: request.feed,
  path: request.path,
  state: request.closed === null ? 'open' : request.closed.ok ? 'done' : 'refused',
  file_state: request.fileState,
  actor: request.actor,
  reason: request.reason,
  created_at: request.createdAt,
  closed_at: request.closed?.at ?? null,
  message: request.closed?.message ?? '',
});
