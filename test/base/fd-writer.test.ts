import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FdWriter } from '../../src/base/fd-writer.js';

/** A pipe of which the test has both ends. */
let dir: string;
let reader: number;
let writer: number;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tallyman-fd-'));
  const fifo = path.join(dir, 'fifo');
  spawnSync('mkfifo', [fifo]);
  reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
});
afterEach(() => {
  for (const fd of [reader, writer]) if (fd >= 0) closeSync(fd);
  rmSync(dir, { recursive: true });
});

/** Reads until `done` is met. */
async function read(done: (text: string) => boolean): Promise<string> {
  let text = '';
  const piece = Buffer.alloc(65_536);
  await expect
    .poll(
      () => {
        try {
          text += piece.toString('utf8', 0, readSync(reader, piece));
        } catch {
          // Nothing is there now.
        }
        return done(text);
      },
      { interval: 2, timeout: 10_000 },
    )
    .toBe(true);
  return text;
}

const lines = (n: number): readonly string[] => Array.from({ length: n }, (_, i) => `line ${i} ${'x'.repeat(90)}\n`);

test('data waits for its reader, however long, and arrives whole', async () => {
  const data = new FdWriter(writer, { limit: Infinity });
  const all = lines(5_000);
  for (const line of all) data.write(line);
  expect(data.isIdle).toBe(false);
  const whole = all.join('');
  expect((await read((text) => text.length >= whole.length)) === whole).toBe(true);
  await data.drained(AbortSignal.timeout(5_000));
  expect([data.isIdle, data.failure]).toEqual([true, null]);
});

test('a log keeps so much, drops whole lines beyond it, and says later how many', async () => {
  const log = new FdWriter(writer, { limit: 20_000 });
  log.lostNote = (n) => `${n} lost\n`;
  const all = lines(5_000);
  for (const line of all) log.write(line);
  const text = await read((so) => so.endsWith(' lost\n'));
  const got = text.split('\n').slice(0, -1);
  const lost = Number(/^(\d+) lost$/.exec(got.at(-1)!)![1]);
  expect([got.length - 1 + lost, log.lostEver]).toEqual([5_000, lost]);
  expect(got.slice(0, -1).join('\n')).toBe(
    all
      .slice(0, got.length - 1)
      .join('')
      .trimEnd(),
  );
});

test('a reader that went away ends data with an error; a log goes on for the next one', async () => {
  const data = new FdWriter(writer, { limit: Infinity });
  const log = new FdWriter(writer, { limit: 1_000 });
  closeSync(reader);
  data.write('a\n');
  expect(data.failure).toMatchObject({ code: 'EPIPE' });
  log.write('b\n');
  expect([log.isIdle, log.lostEver]).toEqual([true, 1]);
  reader = openSync(path.join(dir, 'fifo'), constants.O_RDONLY | constants.O_NONBLOCK);
  log.write('c\n');
  expect(await read((text) => text.includes('LOG_LOST'))).toBe(
    'c\nwarning[LOG_LOST]: 1 of these lines could not be written\n',
  );
});

test('a full disk ends data with an error; a log waits for room', async () => {
  // Never closed: the log goes on trying, and the number would belong to another file.
  const full = openSync('/dev/full', 'w');
  const data = new FdWriter(full, { limit: Infinity });
  data.write('a\n');
  data.write('b\n');
  expect([data.failure, data.isIdle]).toMatchObject([{ code: 'ENOSPC' }, true]);
  const log = new FdWriter(full, { limit: 1_000 });
  log.write('a\n');
  await log.drained(AbortSignal.timeout(50));
  expect([log.isIdle, log.failure]).toEqual([false, null]);
});
