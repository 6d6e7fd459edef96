import type { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { RandomAccessReader, fromRandomAccessReaderPromise, type Entry, type ZipFile } from 'yauzl';
import type { ArchiveMember, RandomAccess } from '../core/decoder.js';
import { TallymanError, messageOf } from '../core/errors.js';
import type { Bytes } from '../core/format.js';
import { OUTPUT, inflate, placeOf } from './inflate.js';

/** Members read of one archive; their names are stored with the load. */
const MOST_MEMBERS = 10_000;
const STORED = 0;
const DEFLATED = 8;
/** Upper half of the external attributes: the mode of Unix; 0 = made elsewhere. */
const TYPE_BITS = 0o170000;
const REGULAR = 0o100000;
/** yauzl's words for such names. */
const OUTSIDE = /^(absolute path|invalid relative path|invalid characters in fileName): /;
/** Its words where the comment, which is the last thing in an archive, has not the length that it declares. */
const COMMENT = /^Invalid comment length. Expected: (\d+). Found: (\d+)/i;
const DISHONEST = 'Ask the supplier what this is: an honest archive has no such member.';
/** Bytes read of a member in one go, into buffers that take turns (core/format.ts, Bytes). */
const CHUNK = 256 * 1024;
const BUFFERS = 3;

/** The wanted members, by the archive's directory. */
export async function zipMembers(
  file: RandomAccess,
  wanted: (path: string) => boolean,
): Promise<readonly ArchiveMember[]> {
  const found: ArchiveMember[] = [];
  try {
    const archive = await fromRandomAccessReaderPromise(new FileReader(file), file.size, {
      lazyEntries: true,
      autoClose: false,
      decodeStrings: true,
    });
    archive.on('error', () => undefined);
    for await (const entry of archive.eachEntry()) {
      refuse(entry);
      if (entry.fileName.endsWith('/') || !wanted(entry.fileName)) continue;
      if (found.length === MOST_MEMBERS)
        throw new TallymanError('FORMAT_MISMATCH', `The zip archive has more than ${MOST_MEMBERS} members.`, {
          fix: 'Narrow members.',
        });
      refuseUnreadable(entry);
      found.push({ name: entry.fileName, open: () => contents(archive, file, entry) });
    }
  } catch (error) {
    if (error instanceof TallymanError) throw error;
    const said = messageOf(error);
    if (OUTSIDE.test(said))
      throw new TallymanError(
        'FORMAT_MISMATCH',
        `The zip archive names a member that would lead outside of it: ${said}.`,
        { fix: DISHONEST, cause: error },
      );
    const [, there, declared] = COMMENT.exec(said) ?? [];
    const more = Number(there) - Number(declared);
    if (more > 0)
      throw new TallymanError(
        'FILE_CORRUPT',
        `The zip archive holds other bytes behind its end at byte ${file.size - more}.`,
        {
          cause: error,
          fix: 'unzip passes over them with a warning: ask the supplier to send the archive without them.',
        },
      );
    throw new TallymanError('FILE_CORRUPT', `The zip archive is damaged: ${said}.`, { cause: error });
  }
  return found;
}

/** Names that lead outside are refused by yauzl; links and devices here, wanted or not: an honest sender has none. */
function refuse(entry: Entry): void {
  const type = (entry.externalFileAttributes >>> 16) & TYPE_BITS;
  const folder = entry.fileName.endsWith('/');
  if (type !== 0 && type !== REGULAR && !folder) throw refused(entry, 'is no regular file', DISHONEST);
}

function refuseUnreadable(entry: Entry): void {
  if (entry.isEncrypted()) throw refused(entry, 'is encrypted', 'Ask the supplier for an archive without password.');
  const method = entry.compressionMethod;
  if (method !== STORED && method !== DEFLATED)
    throw refused(
      entry,
      `is compressed by method ${method}, which is not read`,
      'Ask the supplier for an ordinary zip (deflate).',
    );
}

const refused = (entry: Entry, why: string, fix?: string): TallymanError =>
  new TallymanError(
    'FORMAT_MISMATCH',
    `The member ${entry.fileName} of the zip archive ${why}.`,
    fix === undefined ? {} : { fix },
  );

async function* contents(archive: ZipFile, file: RandomAccess, entry: Entry): AsyncGenerator<Buffer> {
  const corrupt = (what: string, from: number, to: number): TallymanError =>
    new TallymanError(
      'FILE_CORRUPT',
      `The member ${entry.fileName} of the zip archive ${what} ${placeOf(from, to)} of its own.`,
    );
  const start = await dataStart(archive, entry);
  const packed = range(file, start, entry.compressedSize);
  let length = 0;
  let checksum = 0;
  for await (const chunk of entry.compressionMethod === STORED
    ? packed
    : inflate(createInflateRaw({ chunkSize: OUTPUT }), packed, corrupt)) {
    length += chunk.length;
    checksum = crc32(chunk, checksum);
    if (length > entry.uncompressedSize) break;
    yield chunk;
  }
  if (length !== entry.uncompressedSize)
    throw corrupt(
      `is damaged (${entry.uncompressedSize} bytes are declared, there are ${length > entry.uncompressedSize ? 'more' : length})`,
      entry.compressedSize,
      entry.compressedSize,
    );
  if (checksum !== entry.crc32)
    throw corrupt('is damaged (wrong checksum)', entry.compressedSize, entry.compressedSize);
}

async function dataStart(archive: ZipFile, entry: Entry): Promise<number> {
  try {
    return (await archive.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
  } catch (error) {
    if (error instanceof TallymanError) throw error;
    throw new TallymanError(
      'FILE_CORRUPT',
      `The zip archive is damaged at byte ${entry.relativeOffsetOfLocalHeader}: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

async function* range(file: RandomAccess, start: number, length: number): Bytes {
  const buffers: Buffer[] = [];
  for (let done = 0, turn = 0; done < length; turn++) {
    const buffer = (buffers[turn % BUFFERS] ??= Buffer.allocUnsafeSlow(Math.min(CHUNK, length)));
    const read = await file.read(buffer.subarray(0, Math.min(buffer.length, length - done)), start + done);
    // Cut off: what is there is told by the checks on length and checksum.
    if (read === 0) return;
    done += read;
    yield buffer.subarray(0, read);
  }
}

/** What yauzl reads with; member contents are read here and not through it. */
class FileReader extends RandomAccessReader {
  readonly #file: RandomAccess;

  constructor(file: RandomAccess) {
    super();
    this.#file = file;
  }

  override _readStreamForRange(): Readable {
    throw new TallymanError('INTERNAL', 'members are not read as streams');
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#file.read(buffer.subarray(offset, offset + length), position).then(
      (read) => callback(read === length ? null : new Error(`it ends at byte ${position + read}`)),
      (error: unknown) => callback(error instanceof Error ? error : new Error(messageOf(error))),
    );
  }
}
