import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import type { PlannedAction, PlannedActions } from '../../core/ledger/outbox.js';
import { mustFind } from './change.js';
import { fromIso, int, json, text } from './entry-rows.js';
import type { Row, Store } from './store/store.js';

/** The outbox: after actions, planned in the transaction that ended the file, kept until done. */
export function actions(store: Store): PlannedActions {
  return {
    dueActions: (now, limit) =>
      store.read(() =>
        store
          .all(
            `select * from action where state = 'pending' and retry_at <= ? order by retry_at limit ?`,
            fromIso(now),
            limit,
          )
          .map((row) => toAction(store, row)),
      ),
    actionDone: (actionId, outcome) =>
      store.write(() => {
        actionDone(store, actionId, outcome);
      }),
    actionFailed: (actionId, detail, retryAt) =>
      store.write(() => {
        mustFindAction(store, actionId);
        store.run(
          `update action set attempts = attempts + 1, detail = ?, at = ?, retry_at = ? where action_id = ? and state = 'pending'`,
          detail,
          store.now(),
          fromIso(retryAt),
          actionId,
        );
      }),
  };
}

function actionDone(
  store: Store,
  actionId: number,
  outcome: { readonly state: 'done' | 'dropped'; readonly detail: string; readonly movedTo: SeenFile | null },
): void {
  const row = mustFindAction(store, actionId);
  store.run(
    'update action set state = ?, attempts = attempts + 1, detail = ?, at = ? where action_id = ?',
    outcome.state,
    outcome.detail,
    store.now(),
    actionId,
  );
  if (outcome.state !== 'done') return;
  const fileId = int(row, 'file_id');
  if (outcome.movedTo !== null)
    store.run('update entry set moved_to = ?, deleted = 0 where file_id = ?', JSON.stringify(outcome.movedTo), fileId);
  else if (text(row, 'kind') === 'delete')
    store.run('update entry set deleted = 1, moved_to = null where file_id = ?', fileId);
}

function mustFindAction(store: Store, actionId: number): Row {
  const row = store.get('select * from action where action_id = ?', actionId);
  if (row === null) throw new TallymanError('WRONG_STATE', `The ledger knows no after action ${actionId}.`);
  return row;
}

function toAction(store: Store, row: Row): PlannedAction {
  const kind = (['delete', 'move', 'tag'] as const).find((name) => name === row['kind']);
  const companions = json(row, 'companions');
  if (
    kind === undefined ||
    !Array.isArray(companions) ||
    !companions.every((name): name is string => typeof name === 'string')
  ) {
    throw new TallymanError('LEDGER_UNUSABLE', 'The ledger holds an after action that is not what it should be.');
  }
  return {
    actionId: int(row, 'action_id'),
    entry: mustFind(store, int(row, 'file_id')),
    kind,
    argument: text(row, 'argument'),
    companions,
    attempts: int(row, 'attempts'),
  };
}
