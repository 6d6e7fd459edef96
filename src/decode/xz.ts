import type { Decoder } from '../core/decoder.js';
import { TallymanError, messageOf } from '../core/errors.js';
import type { Bytes } from '../core/format.js';

/** Bytes given in one go: an error is told to this many. */
const SLICE = 64 * 1024;

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
  matches: (head) => head.toString('latin1', 0, 6) === '\xfd7zXZ\0',
  decode,
};

async function* decode(input: Bytes): AsyncGenerator<Buffer> {
  const Stream = await streamClass();
  const place = { given: 0 };
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
    if ((await next()) !== null) throw corrupt('holds other bytes behind its end', place.given);
  } catch (error) {
    if (failures[0] !== undefined) throw failures[0];
    if (error instanceof TallymanError) throw error;
    throw told(error, place.given);
  } finally {
    await reader.cancel().catch(() => undefined);
    await source.return?.();
  }
}

function told(error: unknown, given: number): TallymanError {
  const code = Number(/error code (\d+)/.exec(messageOf(error))?.[1] ?? 0);
  const reason = REASONS.get(code);
  if (UNREAD.has(code))
    return new TallymanError('FORMAT_MISMATCH', `The xz file cannot be read: ${reason ?? ''}.`, {
      fix: 'Ask the supplier to pack it by plain `xz` (LZMA2, check CRC-64).',
      cause: error,
    });
  return corrupt(
    code === 8 ? 'is cut off, or holds other bytes behind its end' : `is damaged (${reason ?? messageOf(error)})`,
    given,
    error,
  );
}

const corrupt = (what: string, given: number, cause?: unknown): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The xz file ${what}, in the ${SLICE} bytes before byte ${given}.`, { cause });

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
