import { describe, expect, it } from 'vitest';
import type { FileEntry } from '../../../src/core/entry.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import { codeOf, loaded, look } from './support.js';
import type { SuiteParts } from './harness.js';

const late = '2100-01-01T00:00:00.000Z';

const withAction = (ledger: Ledger, name: string, kind: 'delete' | 'move' | 'tag' = 'move'): Promise<FileEntry> =>
  loaded(ledger, name, { more: { action: { kind, argument: 'done/2026', companions: [`${name}.done`] } } });

export function outboxSuite({ newLedger }: SuiteParts): void {
  describe('after actions', () => {
    it('are planned with the end and kept until done', async () => {
      const ledger = await newLedger();
      const entry = await withAction(ledger, 'a.csv');
      const [action] = await ledger.dueActions(late, 10);
      expect(action).toMatchObject({
        kind: 'move',
        argument: 'done/2026',
        companions: ['a.csv.done'],
        attempts: 0,
        entry: { fileId: entry.fileId },
      });
      const moved = look('done/2026/a.csv');
      await ledger.actionDone(action!.actionId, { state: 'done', detail: 'moved', movedTo: moved });
      expect(await ledger.dueActions(late, 10)).toEqual([]);
      expect((await ledger.entry(entry.fileId))?.movedTo).toEqual(moved);
      expect((await ledger.detail(entry.fileId))?.actions).toMatchObject([
        { action: 'move done/2026', state: 'done', attempts: 1, detail: 'moved' },
      ]);
    });

    it('that failed come again when their time has come, for ever', async () => {
      const ledger = await newLedger();
      await withAction(ledger, 'a.csv');
      const [action] = await ledger.dueActions(late, 1);
      await ledger.actionFailed(action!.actionId, 'EACCES', '2050-01-01T00:00:00Z');
      expect(await ledger.dueActions('2049-12-31T00:00:00Z', 10)).toEqual([]);
      expect(await ledger.dueActions('2050-01-01T00:00:00Z', 10)).toMatchObject([{ attempts: 1 }]);
    });

    it('that were dropped leave the file where it was', async () => {
      const ledger = await newLedger();
      const entry = await withAction(ledger, 'a.csv', 'delete');
      const [action] = await ledger.dueActions(late, 1);
      await ledger.actionDone(action!.actionId, {
        state: 'dropped',
        detail: 'another version stands there',
        movedTo: null,
      });
      expect(await ledger.entry(entry.fileId)).toMatchObject({ deleted: false, movedTo: null });
      expect(await ledger.dueActions(late, 10)).toEqual([]);
    });

    it('that deleted the file are remembered', async () => {
      const ledger = await newLedger();
      const entry = await withAction(ledger, 'a.csv', 'delete');
      const [action] = await ledger.dueActions(late, 1);
      await ledger.actionDone(action!.actionId, { state: 'done', detail: '', movedTo: null });
      expect(await ledger.entry(entry.fileId)).toMatchObject({ deleted: true, movedTo: null });
    });

    it('are dropped when the file is taken again or cleared', async () => {
      const ledger = await newLedger();
      const [one, two] = [await withAction(ledger, 'a.csv'), await withAction(ledger, 'b.csv')];
      await ledger.transition(one.fileId, 'discovered', {}, 'cli:ann', 'reprocess');
      await ledger.transition(two.fileId, 'cleared', {}, 'cli:ann', 'clear');
      expect(await ledger.dueActions(late, 10)).toEqual([]);
    });

    it('an unknown one is an error', async () => {
      expect(await codeOf((await newLedger()).actionFailed(1, '', late))).toBe('WRONG_STATE');
    });
  });
}
