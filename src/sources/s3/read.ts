import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import { bodyChunks } from './body.js';
import { objectError } from './errors.js';
import { bareEtag, etagOf, keyOf } from './key.js';
import { lookAtVersion } from './look.js';
import type { S3Store } from './client.js';

/** Above this an object can come in several ranges at once, see S3Limits.farMs. Bytes. */
const SPLIT_ABOVE = 64 * 1024 * 1024;
const RANGE = 8 * 1024 * 1024;
/** Ranges that come alone, all of them late and slow, before the store counts as far. */
const PROBES = 3;
/** Ranges under way at once; all of them are held in memory: 32 MiB. */
const RANGES = 4;

const READ = { code: 'FILE_UNREADABLE', right: 's3:GetObject' } as const;

/** The bytes of exactly this version from `offset` on; see Source.open. Every request carries If-Match. */
export async function* readVersion(
  store: S3Store,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  signal.throwIfAborted();
  try {
    // No range begins at the end of an object.
    if (offset >= file.size) await lookAtVersion(store, file);
    if (offset >= file.size && file.size > 0) return;
    if (file.size - offset > SPLIT_ABOVE) yield* readLarge(store, file, offset, signal);
    else yield* readRange(store, file, offset, file.size, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw objectError(store, file.path, error, READ);
  }
}

/** The first ranges show how far away the store is; the rest comes in the way that is faster then. */
async function* readLarge(
  store: S3Store,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let at = offset;
  for (let probe = 1; probe <= PROBES; probe++) {
    const pace = { headMs: 0, bodyMs: 0 };
    yield* readRange(store, file, at, at + RANGE, signal, pace);
    at += RANGE;
    // Near for once is near: a busy machine makes answers late (17 to 30 ms from the same host, where 10 are usual),
    // nothing makes a far store's early.
    if (pace.headMs <= store.limits.farMs || RANGE / pace.bodyMs >= store.limits.fastEnough) {
      yield* readRange(store, file, at, file.size, signal);
      return;
    }
  }
  yield* readSplit(store, file, at, signal);
}

/** How a range came: until the head of its answer was there, and from there to its last byte. Milliseconds. */
interface Pace {
  headMs: number;
  bodyMs: number;
}

/** From `from` to before `end`, proven to be this many bytes of this version. */
async function* readRange(
  store: S3Store,
  file: SeenFile,
  from: number,
  end: number,
  signal: AbortSignal,
  pace?: Pace,
): AsyncGenerator<Buffer, void, undefined> {
  const isWhole = from === 0 && end === file.size;
  const client = await store.client();
  const range = isWhole ? {} : { Range: `bytes=${from}-${end - 1}` };
  const asked = performance.now();
  const answer = await client.getObject(
    { Bucket: store.bucket, Key: keyOf(file.path), IfMatch: etagOf(file.version), ...range },
    { abortSignal: signal },
  );
  const answered = performance.now();
  let count = 0;
  for await (const chunk of bodyChunks(store, file.path, answer.Body, signal, () =>
    proveAnswer(answer, file, isWhole, from, end),
  )) {
    count += chunk.length;
    if (count > end - from) throw wrongLength(file, `more than ${end - from} bytes came`);
    yield chunk;
  }
  if (pace !== undefined) Object.assign(pace, { headMs: answered - asked, bodyMs: performance.now() - answered });
  if (count !== end - from)
    throw new TallymanError(
      'SOURCE_UNREACHABLE',
      `${store.name}: ${file.path}: the body ended after ${count} of ${end - from} bytes`,
    );
}

/** A store may not know If-Match or ranges: its answer must say itself that it is what was asked for. */
function proveAnswer(
  answer: GetObjectCommandOutput,
  file: SeenFile,
  isWhole: boolean,
  from: number,
  end: number,
): void {
  if (
    answer.ETag !== undefined &&
    `"${bareEtag(answer.ETag)}"` !== etagOf(file.version) &&
    bareEtag(answer.ETag) !== etagOf(file.version)
  ) {
    throw new TallymanError('FILE_CHANGED', `${file.path}: another version stands there`);
  }
  const told = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(answer.ContentRange ?? '');
  if (!isWhole && (told?.[1] !== String(from) || told[2] !== String(end - 1)))
    throw wrongLength(
      file,
      `the store gives ${answer.ContentRange ?? 'the whole object'} when asked for bytes ${from}-${end - 1}`,
    );
  const total = isWhole ? answer.ContentLength : told?.[3] === '*' ? file.size : Number(told?.[3]);
  if (total !== undefined && total !== file.size)
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
  store: S3Store,
  file: SeenFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const own = new AbortController();
  const both = AbortSignal.any([signal, own.signal]);
  const ahead: Promise<readonly Buffer[]>[] = [];
  let next = offset;
  const ask = (): void => {
    const part = collect(readRange(store, file, next, Math.min(next + RANGE, file.size), both));
    // Told when its turn comes.
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
  store: S3Store,
  path: string,
  limit: number,
  signal: AbortSignal = AbortSignal.timeout(store.limits.answerMs * 2),
): Promise<Buffer> {
  const key = keyOf(path);
  try {
    const client = await store.client();
    const answer = await client.getObject({ Bucket: store.bucket, Key: key }, { abortSignal: signal });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of bodyChunks(store, key, answer.Body, signal)) {
      size += chunk.length;
      if (size > limit)
        throw new TallymanError(
          'FILE_UNREADABLE',
          `${key}: larger than ${limit} bytes, which a marker or manifest is not`,
        );
      chunks.push(chunk);
    }
    if (answer.ContentLength !== undefined && answer.ContentLength !== size)
      throw new TallymanError(
        'SOURCE_UNREACHABLE',
        `${store.name}: ${key}: the body ended after ${size} of ${answer.ContentLength} bytes`,
      );
    return Buffer.concat(chunks, size);
  } catch (error) {
    throw objectError(store, key, error, READ);
  }
}
