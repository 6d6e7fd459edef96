import type { Decoder } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed.js';
import type { Bytes, FormatType, RecordReader } from '../core/format.js';
import { openDecoded, type DecodedBytes, type DeliveredFile } from '../decode/open.js';
import { DecodedReader } from './decoded-reader.js';
import { MembersReader } from './members-reader.js';

/** The parts that a load reads with; from registry.ts. */
export interface ReadParts {
  readonly formats: readonly FormatType[];
  readonly decoders: readonly Decoder[];
}

/** The file of a load: its name, and its bytes through the descriptor that is held open. */
export interface LoadFile extends DeliveredFile {
  /** For formats that need random access. */
  readonly localPath: string;
}

/**
 * Decodes and opens the file in the feed's format. Throws what decoders and the format throw for a bad file, and EMPTY_NOT_ALLOWED.
 */
export async function openReader(parts: ReadParts, feed: FeedSpec, bytes: Bytes, file: LoadFile): Promise<RecordReader> {
  const format = parts.formats.find((one) => one.type === feed.format.type);
  if (format === undefined) throw new TallymanError('INTERNAL', `there is no format ${feed.format.type}`);
  if (file.size === 0 && !format.emptyIsValid) throw new TallymanError('EMPTY_NOT_ALLOWED', `a ${format.type} file of 0 bytes`);
  // The options were made by this very schema (config/); plain data, they came through a message.
  const options = format.options.parse(feed.format.options);
  const { columns: contract, onUnknownColumn, compression, maxExpansion, members } = feed;
  if (format.access === 'file') return await format.open({ bytes: nothing(), path: file.localPath, contract, onUnknownColumn }, options);

  const { encoding } = options;
  const plan = { decoders: parts.decoders, compression, maxExpansion, members, format: format.type, encoding: typeof encoding === 'string' ? encoding : null };
  const decoded = await openDecoded(bytes, file, plan);
  const open = async (text: DecodedBytes): Promise<RecordReader> =>
    new DecodedReader(await format.open({ bytes: text.bytes, path: null, contract, onUnknownColumn }, options), text, decoded.compression);
  if (decoded.kind === 'stream') return await open(decoded);
  return await MembersReader.open(decoded.members.map((member) => ({ name: member.name, open: async () => await open(await decoded.open(member)) })));
}

async function* nothing(): AsyncGenerator<Buffer> {
  // A format with random access reads by path.
}
