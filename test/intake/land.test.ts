import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import type { SeenFile } from '../../src/core/file.js';
import type { Source } from '../../src/core/source.js';
import { land, type Landed } from '../../src/intake/land/land.js';
import { LandingArea } from '../../src/intake/land/landing-area.js';
import { localHarness, type LocalHarness } from '../sources/local/local-harness.js';

const CONTENT = randomBytes(1_500_000);
const SHA = createHash('sha256').update(CONTENT).digest('hex');

let store: LocalHarness;
let source: Source;
let dir: string;
let file: SeenFile;
beforeEach(async () => {
  store = await localHarness();
  source = store.source();
  dir = await mkdtemp(path.join(os.tmpdir(), 'tallyman-landing-'));
  await store.put('a.csv', CONTENT);
  file = (await source.stat('a.csv'))!;
});
afterEach(async () => {
  await source.close();
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const landing = (from: Source = source, signal = new AbortController().signal): Promise<Landed> =>
  land(from, file, { dir, name: 'copy', part: 'copy.part', signal, pauseMs: () => 1 });

/** The source, with its bytes put through a hand. */
const through = (change: (bytes: AsyncIterable<Buffer>, offset: number) => AsyncIterable<Buffer>): Source => ({
  ...bound(source),
  open: (wanted, offset, signal) => change(source.open(wanted, offset, signal), offset),
});
const bound = (one: Source): Source => ({
  type: one.type,
  uri: (at) => one.uri(at),
  list: (signal) => one.list(signal),
  stat: (at) => one.stat(at),
  statMarker: (at) => one.statMarker(at),
  localPath: () => null,
  open: (wanted, offset, signal) => one.open(wanted, offset, signal),
  readSmall: (at, limit) => one.readSmall(at, limit),
  remove: (wanted) => one.remove(wanted),
  move: (wanted, to, suffix, as) => one.move(wanted, to, suffix, as),
  probe: (rights) => one.probe(rights),
  close: () => one.close(),
});

/** Cuts each call after so many bytes; 0 = before the first. */
const cutting = (after: number, offsets: number[]): Source =>
  through(async function* (bytes, offset) {
    offsets.push(offset);
    let come = 0;
    for await (const chunk of bytes) {
      if (come >= after) throw new TallymanError('SOURCE_UNREACHABLE', 'cut');
      come += chunk.length;
      yield chunk;
    }
  });

describe('landing', () => {
  test('brings the bytes into a private file, with their hash', async () => {
    const landed = await landing();
    expect(landed).toMatchObject({ path: path.join(dir, 'copy'), sha256: SHA, transferred: CONTENT.length });
    expect((await readFile(landed.path)).equals(CONTENT)).toBe(true);
    expect((await stat(landed.path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(['copy']);
  });

  test('an empty file lands, too', async () => {
    await store.put('empty.csv', '');
    file = (await source.stat('empty.csv'))!;
    expect(await landing()).toMatchObject({ sha256: createHash('sha256').digest('hex'), transferred: 0 });
  });

  test('after a cut it goes on at the offset, as long as each cut brought something', async () => {
    const offsets: number[] = [];
    const landed = await landing(cutting(300_000, offsets));
    expect(landed).toMatchObject({ sha256: SHA, transferred: CONTENT.length });
    expect(offsets.length).toBeGreaterThan(2);
    expect(offsets.every((offset, i) => i === 0 || offset > offsets[i - 1]!)).toBe(true);
  });

  test('a source that gives nothing at all is SOURCE_UNREACHABLE, after a second try', async () => {
    const offsets: number[] = [];
    await expect(landing(cutting(0, offsets))).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    expect(offsets).toEqual([0, 0]);
  });

  test('a later call hashes the part that is there and fetches the rest', async () => {
    await writeFile(path.join(dir, 'copy.part'), CONTENT.subarray(0, 1_000_001));
    const landed = await landing();
    expect(landed).toMatchObject({ sha256: SHA, transferred: CONTENT.length - 1_000_001 });
    expect((await readFile(landed.path)).equals(CONTENT)).toBe(true);
  });

  test('a part that is longer than the file is thrown away', async () => {
    await writeFile(path.join(dir, 'copy.part'), Buffer.alloc(CONTENT.length + 1));
    expect(await landing()).toMatchObject({ sha256: SHA, transferred: CONTENT.length });
  });

  test('a whole copy from before is taken as it stands', async () => {
    await landing();
    expect(await landing(cutting(0, []))).toMatchObject({ sha256: SHA, transferred: 0 });
  });

  test('bytes that end early are no file', async () => {
    const short = through(async function* (bytes) {
      let left = 1_000_000;
      for await (const chunk of bytes) {
        yield chunk.subarray(0, left);
        left -= chunk.length;
        if (left <= 0) return;
      }
    });
    await expect(landing(short)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining(`1000000 bytes came, the source says ${CONTENT.length}`) as string,
    });
    expect(await readdir(dir)).toEqual(['copy.part']);
  });

  test('more bytes than the file has are another version', async () => {
    const long = through(async function* (bytes) {
      yield* bytes;
      yield Buffer.from('x');
    });
    await expect(landing(long)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(await readdir(dir)).toEqual([]);
  });

  test('a version that is overwritten while it comes is FILE_CHANGED, and nothing of it stays', async () => {
    const slow = through(async function* (bytes) {
      for await (const chunk of bytes) {
        yield chunk;
        await store.overwrite('a.csv', 'other');
      }
    });
    await expect(landing(slow)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(await readdir(dir)).toEqual([]);
  });

  test('a version that is gone afterwards was not proven: FILE_VANISHED', async () => {
    const taken = through(async function* (bytes) {
      yield* bytes;
      await store.remove('a.csv');
    });
    await expect(landing(taken)).rejects.toMatchObject({ code: 'FILE_VANISHED' });
  });

  test('a folder that cannot be written is the disk, not the file', async () => {
    const gone = land(source, file, {
      dir: path.join(dir, 'nowhere'),
      name: 'copy',
      part: 'copy.part',
      signal: new AbortController().signal,
    });
    await expect(gone).rejects.toMatchObject({ code: 'DISK_FULL' });
  });

  test('an interrupted landing stops and keeps its part', async () => {
    const stop = new AbortController();
    const stopping = through(async function* (bytes) {
      for await (const chunk of bytes) {
        yield chunk;
        stop.abort(new Error('enough'));
      }
    });
    await expect(landing(stopping, stop.signal)).rejects.toThrow('enough');
    expect(await readdir(dir)).toEqual(['copy.part']);
  });
});

describe('the landing area', () => {
  const put = async (name: string, size: number, ageMs = 0): Promise<void> => {
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, name), Buffer.alloc(size));
    const { utimes } = await import('node:fs/promises');
    const at = new Date(Date.now() - ageMs);
    await utimes(path.join(dir, name), at, at);
  };
  const area = (maxBytes: number | null, keepMs = 0): LandingArea => new LandingArea(dir, { maxBytes, keepMs });

  test('gives the same name to the same version, and another to any other', () => {
    const names = [file, { ...file, version: 'x' }, { ...file, size: 1 }, { ...file, path: 'b.csv' }].map((one) =>
      LandingArea.nameOf('sftp://h/a', one, 1),
    );
    expect(
      new Set([...names, LandingArea.nameOf('sftp://i/a', file, 1), LandingArea.nameOf('sftp://h/a', file, 2)]).size,
    ).toBe(6);
    expect(LandingArea.nameOf('sftp://h/a', { ...file }, 1)).toBe(names[0]);
  });

  test('past the limit new landings wait: LANDING_FULL', async () => {
    const full = area(1_000);
    await full.reserve('a', 600);
    await expect(full.reserve('b', 500)).rejects.toMatchObject({ code: 'LANDING_FULL', blame: 'pause' });
    await full.reserve('c', 400);
    await full.done('a');
    await full.reserve('b', 500);
  });

  test('a landing that failed takes no more room than its part', async () => {
    const full = area(1_000);
    await full.reserve('a', 900);
    await put(LandingArea.partName('a'), 100);
    await full.gaveUp('a');
    await full.reserve('b', 900);
    await expect(full.reserve('a', 900)).rejects.toMatchObject({ code: 'LANDING_FULL' });
  });

  test('what stood there before the start counts', async () => {
    await put('old', 800);
    const full = area(1_000, 3_600_000);
    await expect(
      (async (): Promise<void> => {
        await full.reserve('a', 900);
        await full.reserve('b', 200);
      })(),
    ).rejects.toMatchObject({ code: 'LANDING_FULL' });
  });

  test('kept copies go before their time when the room is needed, the oldest first', async () => {
    await put('older', 400, 2_000);
    await put('newer', 400, 1_000);
    await area(1_000, 3_600_000).reserve('a', 500);
    expect(await readdir(dir)).toEqual(['newer']);
  });

  test('without keep a copy goes with its end', async () => {
    const one = area(null);
    await put('a', 10);
    expect([await one.done('a'), await readdir(dir)]).toEqual([null, []]);
  });

  test('kept copies go when their time is over, those in use stay', async () => {
    const one = area(null, 3_600_000);
    await put('kept', 10, 60_000);
    await put('over', 10, 7_200_000);
    await put('used', 10, 7_200_000);
    await one.reserve('used', 10);
    expect(await one.sweep()).toBe(1);
    expect((await readdir(dir)).sort()).toEqual(['kept', 'used']);
  });

  test('what processes left behind that died after the end of their file goes, copies and parts; what is still to be loaded stays', async () => {
    const name = (fileId: number): string => LandingArea.nameOf('sftp://h/a', file, fileId);
    for (const one of [name(1), name(2), LandingArea.partName(name(3)), LandingArea.partName(name(4)), 'else'])
      await put(one, 10);
    expect(await area(null).sweepEnded((fileId) => Promise.resolve(fileId % 2 === 1))).toBe(2);
    expect((await readdir(dir)).sort()).toEqual([name(2), LandingArea.partName(name(4)), 'else'].sort());
  });

  test('parts of dead processes stay for a day, so that they can be gone on with', async () => {
    await put(LandingArea.partName('young'), 10, 3_600_000);
    await put(LandingArea.partName('old'), 10, 25 * 3_600_000);
    await area(null).sweep();
    expect(await readdir(dir)).toEqual([LandingArea.partName('young')]);
  });
});
