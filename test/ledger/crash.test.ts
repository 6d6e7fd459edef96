import { describe, expect, it } from 'vitest';
import { compileLedger, runScript, until } from './compiled.js';
import { ledgerIn, temporaryDir } from './support.js';

/** Writes for ever; prints what was acknowledged: "d ID PATH", "l ID LOAD_ID". */
const WRITER = `
import { openLedger } from './ledger/sqlite/sqlite-ledger.js';
const [dir, round] = process.argv.slice(2);
const ledger = openLedger(dir);
const one = async (i) => {
  const path = round + '/' + i;
  const entry = await ledger.discover({ feed: 'orders', file: { path, size: 10, mtimeUs: 1, version: 'v' }, uri: 'file:///' + path, settleSeconds: 0 }, 'daemon');
  console.log('d', entry.fileId, path);
  await ledger.claim(entry.fileId, { loadKey: path, duplicateAllowed: true, generation: 1, worker: 'daemon' }, 'daemon');
  const loadId = entry.fileId + 1000000;
  await ledger.end(entry.fileId, { state: 'loaded', loadId, action: { kind: 'delete', argument: '', companions: [] } }, 'daemon', 'committed');
  console.log('l', entry.fileId, loadId);
};
for (let i = 0; ; i += 4) await Promise.all([one(i), one(i + 1), one(i + 2), one(i + 3)]);
`;

const ROUNDS = 12;

describe('kill -9 at any moment', () => {
  it('every acknowledged write is there, each file stands in one state with its whole history, and its after action is planned with its end', async () => {
    const compiled = compileLedger();
    const dir = temporaryDir();
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { child, lines, ended } = runScript(compiled, WRITER, [dir, String(round)]);
      const enough = 3 + Math.floor(Math.random() * 40);
      await until(() => lines.length >= enough);
      child.kill('SIGKILL');
      await ended;
      acknowledged.push(...lines);
    }
    const ledger = ledgerIn(dir);
    for (const line of acknowledged) {
      const [what, id, argument] = line.split(' ');
      const entry = await ledger.entry(Number(id));
      if (what === 'd') expect(entry?.file.path).toBe(argument);
      else expect(entry).toMatchObject({ state: 'loaded', loadId: Number(argument) });
    }
    const planned = new Set(
      (await ledger.dueActions('2100-01-01T00:00:00Z', 1_000_000)).map((action) => action.entry.fileId),
    );
    for (const report of await ledger.files({ limit: 0 })) {
      const detail = await ledger.detail(report.file_id);
      const states = detail?.history.map((step) => step.to);
      expect(['discovered', 'discovered,loading', 'discovered,loading,loaded']).toContain(states?.join());
      expect(report.state).toBe(states?.at(-1));
      expect(planned.has(report.file_id)).toBe(report.state === 'loaded');
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS * 3);
  });

  it('what was in flight is found again as interrupted', async () => {
    const dir = temporaryDir();
    const script = `
      import { openLedger } from './ledger/sqlite/sqlite-ledger.js';
      const ledger = openLedger(process.argv[2]);
      const entry = await ledger.discover({ feed: 'orders', file: { path: 'a', size: 10, mtimeUs: 1, version: 'v' }, uri: 'file:///a', settleSeconds: 0 }, 'daemon');
      await ledger.claim(entry.fileId, { loadKey: 'the key', duplicateAllowed: false, generation: 1, worker: 'daemon' }, 'daemon');
      console.log('claimed');
      setInterval(() => {}, 1000);
    `;
    const { child, lines, ended } = runScript(compileLedger(), script, [dir]);
    await until(() => lines.length > 0);
    child.kill('SIGKILL');
    await ended;
    expect(await ledgerIn(dir).interrupted('daemon')).toMatchObject([
      { state: 'loading', attempts: 1, loadKey: 'the key' },
    ]);
  });
});
