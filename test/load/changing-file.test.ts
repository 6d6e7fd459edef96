import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FormatType, RecordReader } from '../../src/core/format.js';
import type { LoadResult } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import { feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query('drop schema if exists staging cascade; truncate tallyman.loads, tallyman.quarantine');
});

const content = `id,name\n${Array.from({ length: 50_000 }, (_, i) => `${i},${'c'.repeat(50)}`).join('\n')}\n`;

/** The CSV format, with something that happens to the file once its first batch was read. */
function disturbed(act: () => void): FormatType {
  let done = false;
  return {
    ...csv,
    options: csv.options,
    async open(input, options): Promise<RecordReader> {
      const reader = await csv.open(input, csv.options.parse(options));
      return new Proxy(reader, {
        get(target, name) {
          if (name === 'next') {
            return async () => {
              const batch = await target.next();
              if (!done) act();
              done = true;
              return batch;
            };
          }
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
}

async function loadWhile(file: string, act: () => void): Promise<LoadResult> {
  return await bench.load(bench.job(file), { formats: [disturbed(act)] });
}

async function expectNothing(): Promise<void> {
  expect(await bench.query('select count(*)::int as n from tallyman.loads')).toEqual([{ n: 0 }]);
  expect(await bench.query('select count(*)::int as n from staging.t')).toEqual([{ n: 0 }]);
}

describe('a file that changes while it is read is rolled back and settles again', () => {
  test.each<[string, (file: string) => void]>([
    ['when it grows', (file) => appendFileSync(file, '7,more\n')],
    ['when it is cut', (file) => truncateSync(file, 1000)],
    ['when it is emptied', (file) => truncateSync(file, 0)],
    [
      'when bytes change in place and size and mtime are put back',
      (file) => {
        const fd = openSync(file, 'r+');
        writeSync(fd, 'Z', 40);
        closeSync(fd);
        utimesSync(file, 1_600_000_000, 1_600_000_000);
      },
    ],
  ])('%s', async (_, act) => {
    const file = bench.put('a.csv', content);
    utimesSync(file, 1_600_000_000, 1_600_000_000);
    expect(await loadWhile(file, () => act(file))).toMatchObject({ outcome: 'changed' });
    await expectNothing();
  });

  test('also when the change makes it look bad', async () => {
    const file = bench.put('a.csv', content);
    const feed = feedOf({ limits: { badRows: 0, badRatio: null, minRows: 0, databaseRows: 1 } });
    const result = await bench.load(bench.job(file, feed), {
      formats: [disturbed(() => writeFileSync(file, content.replaceAll('c', '"x"y')))],
    });
    expect(result).toMatchObject({ outcome: 'changed' });
    await expectNothing();
  });

  test('when another file takes its name, the one that was opened counts as changed', async () => {
    const file = bench.put('a.csv', content);
    const other = bench.put('b.tmp', content);
    const result = await loadWhile(file, () => renameSync(other, file));
    expect(result).toMatchObject({ outcome: 'changed' });
  });

  test('when it is deleted', async () => {
    const file = bench.put('a.csv', content);
    expect(await loadWhile(file, () => rmSync(file))).toMatchObject({ outcome: 'changed' });
    await expectNothing();
  });
});

describe('a file that is not the version of the job', () => {
  test('changed before it was opened: changed', async () => {
    const file = bench.put('a.csv', content);
    const job = bench.job(file);
    appendFileSync(file, '1,x\n');
    expect(await bench.load(job)).toMatchObject({ outcome: 'changed' });
  });

  test('other bytes than those that were hashed: changed', async () => {
    const job = bench.job(bench.put('a.csv', content));
    expect(await bench.load({ ...job, file: { ...job.file, sha256: '0'.repeat(64) } })).toMatchObject({
      outcome: 'changed',
    });
    await expectNothing();
  });

  test('gone: vanished', async () => {
    const file = bench.put('a.csv', content);
    const job = bench.job(file);
    rmSync(file);
    expect(await bench.load(job)).toMatchObject({ outcome: 'vanished' });
  });

  test('a symbolic link: not taken', async () => {
    const job = bench.job(bench.put('a.csv', content));
    const link = path.join(bench.dir, 'link.csv');
    symlinkSync(job.file.localPath, link);
    expect(await bench.load({ ...job, file: { ...job.file, localPath: link } })).toMatchObject({
      outcome: 'changed',
      message: expect.stringContaining('not a regular file') as string,
    });
  });

  test('a FIFO: not taken, and no hang', async () => {
    const fifo = path.join(bench.dir, 'fifo.csv');
    execFileSync('mkfifo', [fifo]);
    const job = bench.job(bench.put('a.csv', content));
    expect(await bench.load({ ...job, file: { ...job.file, localPath: fifo } })).toMatchObject({ outcome: 'changed' });
  });

  test('a folder: not taken', async () => {
    const dir = path.join(bench.dir, 'dir.csv');
    mkdirSync(dir);
    const job = bench.job(bench.put('a.csv', content));
    expect(await bench.load({ ...job, file: { ...job.file, localPath: dir } })).toMatchObject({ outcome: 'changed' });
  });
});

test('a name that is not UTF-8 is opened by its bytes', async () => {
  const name = Buffer.concat([Buffer.from(bench.dir), Buffer.from('/b\xff.csv', 'latin1')]);
  writeFileSync(name, 'id,name\n1,a\n');
  const job = bench.job(bench.put('a.csv', 'id,name\n1,a\n'));
  const result = await bench.load({
    ...job,
    file: {
      ...job.file,
      inPlace: false,
      path: 'b%FF.csv',
      localPath: `${bench.dir}/b?.csv`,
      localPathHex: name.toString('hex'),
    },
  });
  expect(result).toMatchObject({ outcome: 'loaded', rows: { loaded: 1 } });
});
