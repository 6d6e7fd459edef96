import type { Decoder } from '../../core/decoder.js';
import { TallymanError } from '../../core/errors.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { Bytes, FormatInput, FormatType, RecordReader } from '../../core/format.js';
import { openDecoded, type DecodedBytes, type DeliveredFile } from '../../decode/open.js';
import { cutControlRecords, type ControlRecords, type CutOut } from '../control/control-stream.js';
import { ShiftedReader } from '../control/shifted-reader.js';
import { DecodedReader } from './decoded-reader.js';
import { openFile } from './file-reader.js';
import { MembersReader } from './members-reader.js';

/** The parts that a load reads with; from registry.ts. */
export interface ReadParts {
  readonly formats: readonly FormatType[];
  readonly decoders: readonly Decoder[];
  /** Calls the reading off. */
  readonly signal?: AbortSignal;
}

/** The file of a load: its name, and its bytes through the descriptor that is held open. */
export interface LoadFile extends DeliveredFile {
  /** Path of bytes that nobody else can change (a landed copy); null = the file stands where others write. */
  readonly privatePath: string | null;
  /** Private folder for temporary files. */
  readonly workDir: string;
}

/**
 * Decodes and opens the file in the feed's format. Throws what decoders and the format throw for a bad file,
 * EMPTY_NOT_ALLOWED, and CONTROL_MISSING. `cuts` gets what control records were cut out, one entry a member.
 */
export async function openReader(
  parts: ReadParts,
  feed: FeedSpec,
  bytes: Bytes,
  file: LoadFile,
  cuts: CutOut[] = [],
): Promise<RecordReader> {
  const format = parts.formats.find((one) => one.type === feed.format.type);
  if (format === undefined) throw new TallymanError('INTERNAL', `there is no format ${feed.format.type}`);
  if (file.size === 0 && !format.emptyIsValid)
    throw new TallymanError('EMPTY_NOT_ALLOWED', `a ${format.type} file of 0 bytes`);
  // The options were made by this very schema (config/); plain data, they came through a message.
  const options = format.options.parse(feed.format.options);
  const { columns: contract, onUnknownColumn, compression, maxExpansion, members } = feed;
  const { encoding } = options;
  const plan = {
    decoders: parts.decoders,
    compression,
    maxExpansion,
    members,
    format: format.type,
    encoding: typeof encoding === 'string' ? encoding : null,
    ...(feed.decrypt === undefined ? {} : { decrypt: feed.decrypt }),
  };
  const decoded = await openDecoded(bytes, file, plan);
  const records = controlRecords(feed, options);
  const openThere = async (input: Omit<FormatInput, 'path'>): Promise<RecordReader> => {
    const placed = { ...input, workDir: file.workDir, ...(parts.signal === undefined ? {} : { signal: parts.signal }) };
    return await openFile(placed, decoded.compression === 'none' ? file.privatePath : null, (whole) =>
      format.open(whole, options),
    );
  };
  const open = async (decodedText: DecodedBytes): Promise<RecordReader> => {
    const cut = records === null ? null : cutControlRecords(decodedText.bytes, records);
    if (cut !== null) cuts.push(cut);
    const text = cut === null ? decodedText : { ...decodedText, bytes: cut.bytes };
    const input = {
      bytes: text.bytes,
      path: null,
      contract,
      onUnknownColumn,
      maxExpansion,
      ...(decoded.compression === 'none' ? { sizeHint: file.size } : {}),
    };
    const reader = new DecodedReader(
      format.access === 'file' ? await openThere(input) : await format.open(input, options),
      text,
      decoded.compression,
    );
    return cut === null || (records?.header ?? null) === null ? reader : new ShiftedReader(reader, cut.shift);
  };
  if (decoded.kind === 'stream') return await open(decoded);
  return await MembersReader.open(
    decoded.members.map((member) => ({ name: member.name, open: async () => await open(await decoded.open(member)) })),
  );
}

/** The feed's control records, and what tells them from data in its format; null = it has none. */
function controlRecords({ control }: FeedSpec, options: Readonly<Record<string, unknown>>): ControlRecords | null {
  if (control === null || (control.header === null && control.trailer === null)) return null;
  const { quote, escape, comment, skip_lines: skipLines } = options;
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    header: control.header === null ? null : patternOf(control.header),
    trailer: control.trailer === null ? null : patternOf(control.trailer),
    skipLines: typeof skipLines === 'number' ? skipLines : 0,
    comment: text(comment),
    quote: text(quote),
    escape: text(escape),
  };
}

/** As config/ judged it: with the u flag, or in the older grammar. */
function patternOf(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return new RegExp(source);
    throw error;
  }
}
