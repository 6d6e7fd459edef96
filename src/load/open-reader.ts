import type { Decoder } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed.js';
import type { Bytes, FormatType, RecordReader } from '../core/format.js';

/** Bytes that a decoder may look at to know its own. */
const HEAD = 16;

/** The parts that a load reads with; from registry.ts. */
export interface ReadParts {
  readonly formats: readonly FormatType[];
  readonly decoders: readonly Decoder[];
}

/**
 * Decodes and opens the file in the feed's format. `path` is for formats that need random access. Throws what the format throws for a bad file, and EMPTY_NOT_ALLOWED.
 */
export async function openReader(parts: ReadParts, feed: FeedSpec, bytes: Bytes, path: string, size: number): Promise<RecordReader> {
  const format = parts.formats.find((one) => one.type === feed.format.type);
  if (format === undefined) throw new TallymanError('INTERNAL', `there is no format ${feed.format.type}`);
  if (size === 0 && !format.emptyIsValid) throw new TallymanError('EMPTY_NOT_ALLOWED', `a ${format.type} file of 0 bytes`);
  const stream = format.access === 'stream';
  // The options were made by this very schema (config/); plain data, they came through a message.
  const options = format.options.parse(feed.format.options);
  return await format.open({ bytes: stream ? decoded(parts.decoders, feed.compression, bytes) : nothing(), path: stream ? null : path, contract: feed.columns, onUnknownColumn: feed.onUnknownColumn }, options);
}

async function* nothing(): AsyncGenerator<Buffer> {
  // A format with random access reads by path.
}

/** `compression: auto` = by magic bytes; a name = that decoder whatever the bytes say. */
async function* decoded(decoders: readonly Decoder[], compression: string, bytes: Bytes): AsyncGenerator<Buffer> {
  const source = bytes[Symbol.asyncIterator]();
  const first = await source.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  const input: Bytes = { [Symbol.asyncIterator]: () => resumed(first, source) };
  yield* chosen(decoders, compression, head)?.decode(input) ?? input;
}

function chosen(decoders: readonly Decoder[], compression: string, head: Buffer): Decoder | null {
  if (compression === 'none') return null;
  if (compression === 'auto') return decoders.find((one) => one.matches(head.subarray(0, HEAD))) ?? null;
  const named = decoders.find((one) => one.name === compression);
  if (named === undefined) throw new TallymanError('INTERNAL', `there is no decoder ${compression}`);
  return named;
}

/** The iterator from its first item on, which was looked at already. */
function resumed(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncIterator<Buffer> {
  let given = false;
  return {
    next() {
      if (given) return rest.next();
      given = true;
      return Promise.resolve(first);
    },
    return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
  };
}
