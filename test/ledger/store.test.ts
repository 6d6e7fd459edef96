import { spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DAEMON } from '../../src/core/ledger/workers.js';
import { TallymanError } from '../../src/core/errors.js';
import { ledgerError } from '../../src/ledger/sqlite/store/sqlite-errors.js';
import { openLedger } from '../../src/ledger/sqlite/sqlite-ledger.js';
import { compileLedger, runScript } from './compiled.js';
import { codeOf, discover, ledgerIn, loaded, look, newLedger, temporaryDir } from './support.js';

function refusal(dir: string): string {
  try {
    openLedger(dir);
    return 'no error';
  } catch (error) {
    return error instanceof TallymanError ? error.code : String(error);
  }
}

describe('group commit', () => {
  it('the writes of one turn of the event loop share one transaction', async () => {
    const dir = temporaryDir();
    const ledger = ledgerIn(dir);
    await ledger.setMeta('warm', 'up');
    const other = new Database(path.join(dir, 'ledger.db'), { readonly: true });
    const version = (): unknown => other.pragma('data_version', { simple: true });
    const seen = new Set([version()]);
    // A transaction ends after BATCH_MS too, which a machine that stands still for a moment would use up.
    vi.spyOn(Date, 'now').mockReturnValue(Date.now());
    onTestFinished(() => void vi.restoreAllMocks());
    const writes = Array.from({ length: 200 }, async (_, i) => {
      await discover(ledger, look(`${i}.csv`));
      seen.add(version());
    });
    await Promise.all(writes);
    // data_version changes with every commit of another connection: before, and after the one commit.
    expect(seen.size).toBe(2);
    other.close();
  });

  it('a promise resolves after COMMIT: another connection sees the change', async () => {
    const dir = temporaryDir();
    const ledger = ledgerIn(dir);
    const other = new Database(path.join(dir, 'ledger.db'), { readonly: true });
    const count = other.prepare('select count(*) from entry').pluck();
    const pending = discover(ledger, look('a.csv'));
    expect(count.get()).toBe(0);
    await pending;
    expect(count.get()).toBe(1);
    other.close();
  });

  it('one that fails fails alone, and leaves nothing behind', async () => {
    const ledger = newLedger();
    const entry = await discover(ledger, look('a.csv'));
    const results = await Promise.allSettled([
      ledger.setMeta('one', '1'),
      ledger.claim(999, { loadKey: 'k', duplicateAllowed: false, generation: 1, worker: DAEMON }, 'daemon'),
      ledger.end(
        entry.fileId,
        { state: 'held', action: { kind: 'move', argument: '', companions: [] } },
        'daemon',
        'test',
      ),
      ledger.end(entry.fileId, { state: 'rejected' }, 'daemon', 'again'),
      ledger.setMeta('two', '2'),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await ledger.entry(entry.fileId)).toMatchObject({ state: 'held' });
    expect(await ledger.getMeta('two')).toBe('2');
  });

  it('more writes than fit into one transaction are all made', async () => {
    const ledger = newLedger();
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => ledger.setMeta(`key ${i}`, 'x')));
    expect(await ledger.getMeta('key 2999')).toBe('x');
  });

  it('close writes what still waits; later calls are refused', async () => {
    const dir = temporaryDir();
    const ledger = openLedger(dir);
    const pending = ledger.setMeta('last', 'word');
    await ledger.close();
    await pending;
    expect(await codeOf(ledger.setMeta('too', 'late'))).toBe('LEDGER_UNUSABLE');
    expect(await codeOf(ledger.getMeta('last'))).toBe('LEDGER_UNUSABLE');
    expect(await ledgerIn(dir).getMeta('last')).toBe('word');
  });
});

describe('several processes', () => {
  it('a ledger opened twice sees what the other wrote', async () => {
    const dir = temporaryDir();
    const [daemon, command] = [ledgerIn(dir), ledgerIn(dir)];
    const entry = await loaded(daemon, 'a.csv');
    const request = await command.request({ kind: 'reprocess', fileId: entry.fileId, actor: 'cli:ann', reason: '' });
    expect((await daemon.openRequests()).map((open) => open.requestId)).toEqual([request]);
  });

  it('two processes that write at the same time lose nothing', async () => {
    const compiled = compileLedger();
    const dir = temporaryDir();
    const script = `
      import { openLedger } from './ledger/sqlite/sqlite-ledger.js';
      const [dir, name] = process.argv.slice(2);
      const ledger = openLedger(dir);
      for (let i = 0; i < 40; i++) {
        await ledger.discover({ feed: 'orders', file: { path: name + i, size: 1, mtimeUs: null, version: 'v' }, uri: 'file:///' + name + i, settleSeconds: 0 }, name);
        console.log(i);
      }
      await ledger.close();
    `;
    const runs = ['one', 'two'].map((name) => runScript(compiled, script, [dir, name]));
    await Promise.all(runs.map((run) => run.ended));
    expect(runs.map((run) => run.lines.length)).toEqual([40, 40]);
    const reports = await ledgerIn(dir).files({ limit: 0 });
    expect(new Set(reports.map((report) => report.file_id)).size).toBe(80);
  });

  it('a write lock held by an sqlite3 shell is waited for', async () => {
    const dir = temporaryDir();
    const ledger = ledgerIn(dir);
    const shell = new Database(path.join(dir, 'ledger.db'));
    shell.exec('begin exclusive');
    const pending = ledger.setMeta('key', 'value');
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await ledger.getMeta('key')).toBeNull();
    shell.exec('rollback');
    await pending;
    expect(await ledger.getMeta('key')).toBe('value');
    shell.close();
  });

  it('a write lock that is never let go is told, and the ledger works again afterwards', async () => {
    const dir = temporaryDir();
    const ledger = ledgerIn(dir, { busyMs: 100 });
    const shell = new Database(path.join(dir, 'ledger.db'));
    shell.exec('begin exclusive');
    const error = await ledger.setMeta('key', 'value').then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'LEDGER_UNUSABLE' });
    expect(error instanceof Error && error.message).toContain('locked by another process');
    shell.exec('rollback');
    await ledger.setMeta('key', 'value');
    shell.close();
  });
});

describe('a ledger that cannot be used', () => {
  it('is no SQLite file: told with what to do', () => {
    const dir = temporaryDir();
    writeFileSync(path.join(dir, 'ledger.db'), 'garbage '.repeat(1_000));
    expect(() => openLedger(dir)).toThrow(/is damaged/);
    expect(refusal(dir)).toBe('LEDGER_UNUSABLE');
  });

  it('has a page written over', async () => {
    const dir = temporaryDir();
    const ledger = openLedger(dir);
    await Promise.all(Array.from({ length: 500 }, (_, i) => discover(ledger, look(`${i}.csv`))));
    await ledger.close();
    const file = path.join(dir, 'ledger.db');
    const fd = openSync(file, 'r+');
    for (let page = 4; page < statSync(file).size / 4096; page += 3)
      writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    closeSync(fd);
    expect(refusal(dir)).toBe('LEDGER_UNUSABLE');
  });

  it('is cut off', async () => {
    const dir = temporaryDir();
    const ledger = openLedger(dir);
    await Promise.all(Array.from({ length: 500 }, (_, i) => discover(ledger, look(`${i}.csv`))));
    await ledger.close();
    const file = path.join(dir, 'ledger.db');
    truncateSync(file, statSync(file).size - 40_960);
    expect(refusal(dir)).toBe('LEDGER_UNUSABLE');
  });

  it('was made by a newer tallyman', async () => {
    const dir = temporaryDir();
    await openLedger(dir).close();
    const db = new Database(path.join(dir, 'ledger.db'));
    db.pragma('user_version = 1000');
    db.close();
    expect(() => openLedger(dir)).toThrow(/newer tallyman/);
  });

  it('has an instance id that is none', async () => {
    const dir = temporaryDir();
    await openLedger(dir).close();
    writeFileSync(path.join(dir, 'instance-id'), 'nonsense');
    expect(refusal(dir)).toBe('LEDGER_UNUSABLE');
  });

  it('lies in a data_dir that is a file', () => {
    const file = path.join(temporaryDir(), 'file');
    writeFileSync(file, '');
    expect(refusal(file)).toBe('LEDGER_UNUSABLE');
  });
});

describe('files', () => {
  it('only we can read them: folder 0700, files 0600', async () => {
    const dir = path.join(temporaryDir(), 'deep', 'data');
    const ledger = ledgerIn(dir);
    await ledger.setMeta('key', 'value');
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    const modes = readdirSync(dir).map((name) => [name, (statSync(path.join(dir, name)).mode & 0o777).toString(8)]);
    expect(Object.fromEntries(modes)).toEqual({
      'instance-id': '600',
      'ledger.db': '600',
      'ledger.db-shm': '600',
      'ledger.db-wal': '600',
    });
  });

  it('the ledger was lost: a new one has the same instance id', async () => {
    const dir = temporaryDir();
    const first = openLedger(dir);
    await first.close();
    rmSync(path.join(dir, 'ledger.db'));
    expect(ledgerIn(dir).instanceId).toBe(first.instanceId);
    expect(readFileSync(path.join(dir, 'instance-id'), 'utf8').trim()).toBe(first.instanceId);
  });
});

describe('a full disk', () => {
  it('is told as DISK_FULL', () => {
    expect(ledgerError(new Database.SqliteError('database or disk is full', 'SQLITE_FULL'), 'ledger.db').code).toBe(
      'DISK_FULL',
    );
    expect(ledgerError(new Database.SqliteError('disk I/O error', 'SQLITE_IOERR_SHMSIZE'), 'ledger.db').code).toBe(
      'DISK_FULL',
    );
    expect(ledgerError(new Database.SqliteError('disk I/O error', 'SQLITE_IOERR_FSYNC'), 'ledger.db').code).toBe(
      'LEDGER_UNUSABLE',
    );
  });

  // Only root can mount a small file system; elsewhere the ledger fills one up to max_page_count, which SQLite tells in
  // the same way.
  it('leaves nothing half done, and work goes on by itself once there is room', async () => {
    const dir = temporaryDir();
    const mounted =
      process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', dir]).status === 0;
    if (!mounted) process.stderr.write("note: no tmpfs could be mounted; the full disk is SQLite's own page limit\n");
    const ledger = openLedger(dir);
    try {
      const entry = await discover(ledger, look('a.csv'));
      const relieve = mounted ? fillUp(dir) : limitPages(path.join(dir, 'ledger.db'));
      let code = 'no error';
      for (let i = 0; i < 200 && code === 'no error'; i++)
        code = await codeOf(ledger.setMeta(`key ${i}`, 'x'.repeat(20_000)));
      expect(code).toBe('DISK_FULL');
      expect(await ledger.entry(entry.fileId)).toEqual(entry);
      relieve();
      await ledger.setMeta('room', 'again');
      expect(await ledger.getMeta('room')).toBe('again');
    } finally {
      await ledger.close();
      if (mounted) spawnSync('umount', [dir]);
    }
  });
});

/** Fills the file system to its last byte; returns what frees it again. */
function fillUp(dir: string): () => void {
  const ballast = path.join(dir, 'ballast');
  const fd = openSync(ballast, 'w');
  for (const size of [65_536, 4_096, 512]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(size));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  }
  closeSync(fd);
  return () => {
    rmSync(ballast);
  };
}

/** The same for whoever may not mount: the ledger's connection may take 20 pages more, until that is lifted. */
function limitPages(file: string): () => void {
  const pages = Math.ceil(statSync(file).size / 4096) + 20;
  const prepare = Object.getOwnPropertyDescriptor(Database.prototype, 'prepare');
  const limited = new Set<Database.Database>();
  const spy = vi.spyOn(Database.prototype, 'prepare').mockImplementation(function (
    this: Database.Database,
    sql: string,
  ): Database.Statement {
    limited.add(this);
    this.pragma(`max_page_count = ${pages}`);
    const real: unknown = prepare?.value;
    if (typeof real !== 'function') throw new Error('better-sqlite3 has no prepare');
    return Reflect.apply(real, this, [sql]) as Database.Statement;
  });
  return () => {
    spy.mockRestore();
    for (const db of limited) db.pragma('max_page_count = 4294967294');
  };
}
