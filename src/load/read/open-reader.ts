import { writtenExpression } from '../../base/expression/expression.js';
import type { Decoder } from '../../core/decoder.js';
import { TallymanError } from '../../core/errors.js';
import type { FeedSpec } from '../../core/feed/feed.js';
import type { Bytes, FormatInput, FormatType, RecordReader, TextDialect } from '../../core/format.js';
import { DosText } from '../../formats/dos-end.js';
import { formatOf } from '../../formats/find-format.js';
import type { ContentDigest } from '../../decode/content-digest.js';
import { openDecoded, type DecodedBytes, type DeliveredFile } from '../../decode/open.js';
import { cutControlRecords, type ControlRecords, type CutOut } from '../control/control-stream.js';
import { ShiftedReader } from '../control/shifted-reader.js';
import { DecodedReader } from './decoded-reader.js';
import { openFile } from './file-reader.js';
import { MembersReader } from './members-reader.js';
import { TextEnd } from './text-end.js';

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
 * EMPTY_NOT_ALLOWED, and CONTROL_MISSING. `cuts` gets what control records were cut out, one entry a member,
 * `content` what is packed in the file.
 */
export async function openReader(
  parts: ReadParts,
  feed: FeedSpec,
  bytes: Bytes,
  file: LoadFile,
  cuts: CutOut[] = [],
  content: ContentDigest | null = null,
): Promise<RecordReader> {
  const { format, options } = formatOf(parts.formats, feed.format);
  if (file.size === 0 && !format.emptyIsValid)
    throw new TallymanError('EMPTY_NOT_ALLOWED', `a ${format.type} file of 0 bytes`);
  const { columns: contract, onUnknownColumn, compression, maxExpansion, members } = feed;
  const dialect = format.text(options);
  const plan = {
    decoders: parts.decoders,
    compression,
    maxExpansion,
    members,
    format: format.type,
    encoding: dialect?.encoding ?? null,
    ...(feed.decrypt === undefined ? {} : { decrypt: feed.decrypt }),
    ...(content === null ? {} : { content }),
  };
  const decoded = await openDecoded(bytes, file, plan);
  const records = controlRecords(feed, dialect);
  const openThere = async (input: Omit<FormatInput, 'path'>): Promise<RecordReader> => {
    const placed = { ...input, workDir: file.workDir, ...(parts.signal === undefined ? {} : { signal: parts.signal }) };
    return await openFile(placed, decoded.compression === 'none' ? file.privatePath : null, (whole) =>
      format.open(whole, options),
    );
  };
  const open = async (decodedText: DecodedBytes): Promise<RecordReader> => {
    const dos = dialect === null ? null : new DosText(decodedText.bytes);
    const whole = dos === null ? decodedText : { ...decodedText, bytes: dos.bytes };
    const cut = records === null ? null : cutControlRecords(whole.bytes, records);
    if (cut !== null) cuts.push(cut);
    const cutText = cut === null ? whole : { ...whole, bytes: cut.bytes };
    const end = dialect === null ? null : new TextEnd(cutText.bytes, dialect.inLines);
    const text = end === null ? cutText : { ...cutText, bytes: end.bytes };
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
      end,
      dos,
    );
    return cut === null || (records?.header ?? null) === null ? reader : new ShiftedReader(reader, cut.shift);
  };
  if (decoded.kind === 'stream') return await open(decoded);
  return await MembersReader.open(
    decoded.members.map((member) => ({ name: member.name, open: async () => await open(await decoded.open(member)) })),
  );
}

/** The feed's control records, and what tells them from data in its text; null = it has none. */
function controlRecords({ control }: FeedSpec, dialect: TextDialect | null): ControlRecords | null {
  if (dialect === null || control === null || (control.header === null && control.trailer === null)) return null;
  const { skipLines, comment, quote, escape } = dialect;
  return {
    header: control.header === null ? null : writtenExpression(control.header),
    trailer: control.trailer === null ? null : writtenExpression(control.trailer),
    skipLines,
    comment,
    quote,
    escape,
  };
}
