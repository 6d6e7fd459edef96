import type { FileEntry } from '../entry.js';
import type { FileState } from '../states.js';
import type { ReportedError } from '../report.js';

/** Operators' requests: written by a command, carried out by the daemon or the next run. */
export interface Requests {
  /** Checks ledger/rules/request-rules.ts, then writes. An equal open request is given back instead of a second one. */
  request(request: NewRequest): Promise<number>;
  /** Oldest first, at most `limit` (1,000). */
  openRequests(limit?: number): Promise<readonly Request[]>;
  /** Carried out, or refused with the reason. One that is closed already stays as it is. */
  closeRequest(requestId: number, result: { readonly ok: boolean; readonly message: string }): Promise<void>;
  /** All that are open, and those of the last `recent` that are not; newest first. */
  requests(recent: number): Promise<readonly KnownRequest[]>;
  /**
   * An open one is closed without being carried out; `message` says by whom. False = it is closed already, null = there
   * is none.
   */
  cancelRequest(requestId: number, message: string): Promise<boolean | null>;
  requestResult(requestId: number): Promise<{ readonly ok: boolean; readonly message: string } | null>;
  /**
   * Any state but `loading` -> any state but `loaded`, on an operator's word (ledger/rules/request-rules.ts,
   * requestEffect, gives `to` and `change`). To `discovered` from an end: pending after actions are dropped, backoff
   * and deaths forgotten, the end is remembered for giveBack. To `cleared`: the live load counts no more.
   */
  transition(fileId: number, to: FileState, change: EntryChange, actor: string, reason: string): Promise<FileEntry>;
}

/** Fields that a transition may set. `liveLoadId: null` = the load counts no more. */
export interface EntryChange {
  readonly replaces?: readonly number[];
  readonly released?: boolean;
  readonly generation?: number;
  readonly duplicateAllowed?: boolean;
  readonly afterAction?: boolean;
  readonly attempts?: number;
  readonly error?: ReportedError | null;
  readonly liveLoadId?: null;
}

export type RequestKind = 'reprocess' | 'clear' | 'retry' | 'release' | 'release-replace' | 'ignore' | 'unload';

export interface NewRequest {
  readonly kind: RequestKind;
  readonly fileId: number;
  readonly actor: string;
  readonly reason: string;
}

export interface Request extends NewRequest {
  readonly requestId: number;
  readonly createdAt: string;
}

/** A request with its file and what became of it. */
export interface KnownRequest extends Request {
  readonly feed: string;
  readonly path: string;
  /** Of the file, now. */
  readonly fileState: FileState;
  /** null = it is open. */
  readonly closed: { readonly at: string; readonly ok: boolean; readonly message: string } | null;
}
