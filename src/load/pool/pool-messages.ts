import type { FoundContent, LoadJob, LoadProgress, LoadResult } from '../../core/load.js';

/** What the pool asks of a worker: one thing at a time. */
export type PoolRequest =
  /** One file, or several small ones that may share a transaction (load-group.ts). */
  | { readonly kind: 'load'; readonly jobs: readonly LoadJob[] }
  /** A dry run: no database. */
  | { readonly kind: 'check'; readonly jobs: readonly LoadJob[] }
  /** The answer about what a file holds. */
  | { readonly kind: 'content'; readonly fileId: number; readonly goOn: boolean }
  /** Whether it listens. */
  | { readonly kind: 'ask' }
  /** Roll back what is under way; it says that it heard this too. */
  | { readonly kind: 'cancel' }
  /** Close the connection and end. */
  | { readonly kind: 'stop' };

export type PoolAnswer =
  /** It has started: whatever ends it from now on has to do with its work. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'heard' }
  /** What a file holds is known: it waits for the answer. */
  | { readonly kind: 'content'; readonly found: FoundContent }
  | { readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly kind: 'result'; /** Which of the jobs. */ readonly index: number; readonly result: LoadResult };

/** Given to a worker at its start. */
export interface PoolWorkerData {
  /**
   * One Int32: COMMITTING while COMMIT may be on its way. Shared memory, because it must be readable after the worker's
   * death.
   */
  readonly state: SharedArrayBuffer;
}

export const IDLE = 0;
export const COMMITTING = 1;

/** Both ends are this program and the data is a structured clone: the kind is what can be wrong. */
export function isRequest(value: unknown): value is PoolRequest {
  return hasKind(value) && ['load', 'check', 'content', 'ask', 'cancel', 'stop'].includes(value.kind);
}

export function isAnswer(value: unknown): value is PoolAnswer {
  return hasKind(value) && ['ready', 'heard', 'content', 'progress', 'result'].includes(value.kind);
}

export function isWorkerData(value: unknown): value is PoolWorkerData {
  return typeof value === 'object' && value !== null && 'state' in value && value.state instanceof SharedArrayBuffer;
}

function hasKind(value: unknown): value is { readonly kind: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}
