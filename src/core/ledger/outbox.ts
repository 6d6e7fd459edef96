import type { SeenFile } from '../file.js';
import type { FileEntry } from '../entry.js';

/** After actions that are due: planned with an outcome, retried until they are done or dropped. */
export interface PlannedActions {
  dueActions(now: string, limit: number): Promise<readonly PlannedAction[]>;
  /** `movedTo`: where and how the file stands after a move; a done delete needs none. */
  actionDone(
    actionId: number,
    outcome: { readonly state: 'done' | 'dropped'; readonly detail: string; readonly movedTo: SeenFile | null },
  ): Promise<void>;
  actionFailed(actionId: number, detail: string, retryAt: string): Promise<void>;
}

export interface PlannedAction {
  readonly actionId: number;
  readonly entry: FileEntry;
  readonly kind: 'delete' | 'move' | 'tag';
  readonly argument: string;
  readonly companions: readonly string[];
  readonly attempts: number;
}
