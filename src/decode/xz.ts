import { crc32 } from 'node:zlib';
import type { Decoder } from '../core/decoder.js';
import { TallymanError, messageOf } from '../core/errors.js';
import type { Bytes } from '../core/format.js';

/** Bytes given in one go: an error is placed to this many. */
const SLICE = 64 * 1024;

const MAGIC = Buffer.from('\xfd7zXZ\0', 'latin1');
/** Bytes kept of the slices before the last: a footer may stand across them. */
const KEPT = 64;
/** Bytes that a stream ends with: a checksum, how long the index is, flags, "YZ". */
const FOOTER = 12;

/** What xz-embedded answers (xz.h). */
const REASONS: ReadonlyMap<number, string> = new Map([
  [3, 'there is not enough memory'],
  [4, 'its dictionary is too large; at most 64 MiB are given'],
  [6, 'it uses a filter or a check (SHA-256) that is not read'],
  [7, 'the bytes are not those that were packed'],
]);
/** Errors of the file's own kind, which is whole. */
const UNREAD: ReadonlySet<number> = new Set([4, 6]);

/**
 * xz, all streams and the padding between them; CRC-32 and CRC-64 of each block are proven by xz-embedded
 * (WebAssembly), which is given one slice at a time and gives 64 KiB at a time. A file made with --check=none has
 * nothing to be proven by.
 */
export const xz: Decoder = {
  name: 'xz',
  extensions: ['.xz', '.txz'],
  matches: (head) => head.subarray(0, MAGIC.length).equals(MAGIC),
  decode,
};

async function* decode(input: Bytes): AsyncGenerator<Buffer> {
  const Stream = await streamClass();
  const place = { given: 0, tail: Buffer.alloc(0) };
  const source = input[Symbol.asyncIterator]();
  const failures: Error[] = [];
  const packed = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const slice = await next();
          if (slice === null) controller.close();
          else controller.enqueue(slice);
        } catch (error) {
          failures.push(error instanceof Error ? error : new Error(messageOf(error)));
          controller.error(error);
        }
      },
    },
    { highWaterMark: 0 },
  );
  let rest: Buffer = Buffer.alloc(0);
  const next = async (): Promise<Uint8Array | null> => {
    while (rest.length === 0) {
      const more = await source.next();
      if (more.done === true) return null;
      rest = more.value;
    }
    const slice = Uint8Array.from(rest.subarray(0, SLICE));
    rest = rest.subarray(SLICE);
    place.given += slice.length;
    // What a footer may have in the slice before.
    place.tail = Buffer.concat([place.tail.subarray(-KEPT), slice]);
    return slice;
  };
  const reader = new Stream(packed).getReader();
  try {
    for (;;) {
      const piece = await reader.read();
      if (piece.done) break;
      // Its memory is WebAssembly's, which is filled anew.
      if (piece.value.length > 0) yield Buffer.from(piece.value);
    }
    if ((await next()) !== null) throw behind(place.given);
  } catch (error) {
    if (failures[0] !== undefined) throw failures[0];
    if (error instanceof TallymanError) throw error;
    const end = endOf(place.tail);
    if (end !== null) throw behind(place.given - place.tail.length + end);
    throw told(error, place.given);
  } finally {
    await reader.cancel().catch(() => undefined);
    await source.return?.();
  }
}

/**
 * Where the last whole stream of these bytes ends, by its footer; null = none does, or what follows is another stream
 * or the padding that may stand between two.
 */
function endOf(tail: Buffer): number | null {
  for (let at = tail.lastIndexOf('YZ'); at >= FOOTER - 2; at = tail.lastIndexOf('YZ', at - 1)) {
    const footer = tail.subarray(at + 2 - FOOTER, at + 2);
    if (crc32(footer.subarray(4, FOOTER - 2)) !== footer.readUInt32LE(0)) continue;
    let next = at + 2;
    while (tail.length - next >= 4 && tail.readUInt32LE(next) === 0) next += 4;
    const rest = tail.subarray(next, next + MAGIC.length);
    return rest.length === 0 || rest.equals(MAGIC.subarray(0, rest.length)) ? null : next;
  }
  return null;
}

function told(error: unknown, given: number): TallymanError {
  const code = Number(/error code (\d+)/.exec(messageOf(error))?.[1] ?? 0);
  const reason = REASONS.get(code);
  if (UNREAD.has(code))
    return new TallymanError('FORMAT_MISMATCH', `The xz file cannot be read: ${reason ?? ''}.`, {
      fix: 'Ask the supplier to pack it by plain `xz` (LZMA2, check CRC-64).',
      cause: error,
    });
  return corrupt(code === 8 ? 'is cut off' : `is damaged (${reason ?? messageOf(error)})`, given, error);
}

const corrupt = (what: string, given: number, cause?: unknown): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The xz file ${what}, in the ${SLICE} bytes before byte ${given}.`, { cause });

const behind = (at: number): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The xz file holds other bytes behind its end at byte ${at}.`, { fix: WHOLE });

const WHOLE =
  'The data before that place is whole. What stands behind it could be more data: ' +
  'ask the supplier to send the file without it.';

type StreamClass = new (packed: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;

/** CommonJS whose names Node does not see: they hang on its default. */
async function streamClass(): Promise<StreamClass> {
  const module: unknown = await import('xz-decompress');
  for (const place of [module, property(module, 'default')]) {
    const found = property(place, 'XzReadableStream');
    if (isStreamClass(found)) return found;
  }
  throw new TallymanError('INTERNAL', 'xz-decompress is not what it was');
}

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
const isStreamClass = (value: unknown): value is StreamClass =>
  typeof value === 'function' && value.prototype instanceof ReadableStream;
