import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import type { ByteRange, ObjectBody, ObjectStore } from '../../core/object-store.js';
import { bodyChunks } from './body.js';
import { keyOf } from './key.js';
import { lookAtVersion } from './look.js';

/** Waits of reading. Milliseconds. */
export interface ReadLimits {
  /** Between two pieces of a body. */
  readonly idleMs: number;
  /** For the whole of a small object. */
  readonly smallMs: number;
  /**
   * A store whose answers to a read begin later than this is far away, and large objects come from it in several ranges
   * at once: one connection gives less than such a line holds. Near it that is slower: 500 MB from a server on the same
   * host took the client 0.8 s of CPU over one connection, 1.5 s over four (what waits its turn in memory outlives the
   * cheap garbage collections).
   */
  readonly farMs: number;
  /** Bytes a millisecond over one connection at which more of them bring nothing, however late the answers begin. */
  readonly fastEnough: number;
}

export const READ_LIMITS: ReadLimits = {
  idleMs: 60_000,
  smallMs: 120_000,
  farMs: 15,
  // Amazon's own figure for one connection is 85 to 90 MB/s: several pay there.
  fastEnough: 150_000,
};

/** What a read needs to know of its surroundings. */
export interface Reading {
  readonly store: ObjectStore;
  readonly limits: ReadLimits;
}

/** Above this an object can come in several ranges at once, see ReadLimits.farMs. Bytes. */
const SPLIT_ABOVE = 64 * 1024 * 1024;
const RANGE = 8 * 1024 * 1024;
/** Ranges that come alone, all of them late and slow, before the store counts as far. */
const PROBES = 3;
/** Ranges under way at once; all of them are held in memory: 32 MiB. */
const RANGES = 4;

/** The bytes of exactly this version from `offset` on; see Source.open. Every request asks for it alone. */
export async function* readVersion(
  reading: Reading,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  signal.throwIfAborted();
  try {
    // No range begins at the end of an object.
    if (offset >= file.size) await lookAtVersion(reading.store, file);
    if (offset >= file.size && file.size > 0) return;
    if (file.size - offset > SPLIT_ABOVE) yield* readLarge(reading, file, offset, signal);
    else yield* readRange(reading, file, offset, file.size, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw reading.store.unreachable(error);
  }
}

/** The first ranges show how far away the store is; the rest comes in the way that is faster then. */
async function* readLarge(
  reading: Reading,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let at = offset;
  for (let probe = 1; probe <= PROBES; probe++) {
    const pace = { headMs: 0, bodyMs: 0 };
    yield* readRange(reading, file, at, at + RANGE, signal, pace);
    at += RANGE;
    // Near for once is near: a busy machine makes answers late (17 to 30 ms from the same host, where 10 are usual),
    // nothing makes a far store's early.
    if (pace.headMs <= reading.limits.farMs || RANGE / pace.bodyMs >= reading.limits.fastEnough) {
      yield* readRange(reading, file, at, file.size, signal);
      return;
    }
  }
  yield* readSplit(reading, file, at, signal);
}

/** How a range came: until the head of its answer was there, and from there to its last byte. Milliseconds. */
interface Pace {
  headMs: number;
  bodyMs: number;
}

/** From `from` to before `end`, proven to be this many bytes of this version. */
async function* readRange(
  reading: Reading,
  file: SeenFile,
  from: number,
  end: number,
  signal: AbortSignal,
  pace?: Pace,
): AsyncGenerator<Buffer, void, undefined> {
  const { store, limits } = reading;
  const range = from === 0 && end === file.size ? null : { from, end };
  const asked = performance.now();
  const body = await store.get(keyOf(file.path, store.abilities.keyMax), range, file.version, signal);
  const answered = performance.now();
  const name = `${store.name}: ${file.path}`;
  let count = 0;
  for await (const chunk of bodyChunks(name, body.stream, limits.idleMs, signal, () =>
    proveAnswer(store, body, file, range),
  )) {
    count += chunk.length;
    if (count > end - from) throw wrongLength(file, `more than ${end - from} bytes came`);
    yield chunk;
  }
  if (pace !== undefined) Object.assign(pace, { headMs: answered - asked, bodyMs: performance.now() - answered });
  if (count !== end - from)
    throw new TallymanError('SOURCE_UNREACHABLE', `${name}: the body ended after ${count} of ${end - from} bytes`);
}

/** A store may not know conditions or ranges: its answer must say itself that it is what was asked for. */
function proveAnswer(store: ObjectStore, body: ObjectBody, file: SeenFile, range: ByteRange | null): void {
  if (body.content !== null && body.content !== store.contentOf(file.version))
    throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  const told = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(body.contentRange ?? '');
  if (range !== null && (told?.[1] !== String(range.from) || told[2] !== String(range.end - 1)))
    throw wrongLength(
      file,
      `the store gives ${body.contentRange ?? 'the whole object'} when asked for bytes ${range.from}-${range.end - 1}`,
    );
  const total = range === null ? body.contentLength : told?.[3] === '*' ? file.size : Number(told?.[3]);
  if (total !== null && total !== file.size)
    throw wrongLength(file, `the listing says ${file.size} bytes, the store gives an object of ${total}`);
}

const wrongLength = (file: SeenFile, what: string): TallymanError =>
  new TallymanError('FILE_UNREADABLE', `${file.path}: ${what}`, {
    fix: 'Ask the operator of the store: what it tells of the object is not what it gives.',
  });

/**
 * Ranges one after another, the next few already on their way. A range that was cut is asked for again by the reader,
 * from where it stands.
 */
async function* readSplit(
  reading: Reading,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const own = new AbortController();
  const both = AbortSignal.any([signal, own.signal]);
  const ahead: Promise<readonly Buffer[]>[] = [];
  let next = offset;
  const ask = (): void => {
    const part = collect(readRange(reading, file, next, Math.min(next + RANGE, file.size), both));
    // Reported when its turn comes.
    part.catch(() => undefined);
    ahead.push(part);
    next += RANGE;
  };
  try {
    while (next < file.size || ahead.length > 0) {
      while (ahead.length < RANGES && next < file.size) ask();
      const first = ahead.shift();
      // In the pieces in which they came: 8 MiB at a time would hold up the other ranges while it is hashed.
      if (first !== undefined) yield* await first;
    }
  } finally {
    own.abort(new Error('the reader has gone'));
    await Promise.allSettled(ahead);
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<readonly Buffer[]> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** Whole content of a small object; larger than `limit` bytes is FILE_UNREADABLE. */
export async function readWhole(
  { store, limits }: Reading,
  path: string,
  limit: number,
  signal: AbortSignal = AbortSignal.timeout(limits.smallMs),
): Promise<Buffer> {
  const key = keyOf(path, store.abilities.keyMax);
  const name = `${store.name}: ${key}`;
  try {
    const { stream, contentLength } = await store.get(key, null, null, signal);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of bodyChunks(name, stream, limits.idleMs, signal)) {
      size += chunk.length;
      if (size > limit)
        throw new TallymanError(
          'FILE_UNREADABLE',
          `${key}: larger than ${limit} bytes, which a marker or manifest is not`,
        );
      chunks.push(chunk);
    }
    if (contentLength !== null && contentLength !== size)
      throw new TallymanError('SOURCE_UNREACHABLE', `${name}: the body ended after ${size} of ${contentLength} bytes`);
    return Buffer.concat(chunks, size);
  } catch (error) {
    throw store.unreachable(error);
  }
}
