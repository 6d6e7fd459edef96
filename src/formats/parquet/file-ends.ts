import type { FileHandle } from 'node:fs/promises';
import { TallymanError } from '../../core/errors.js';
import { encrypted } from './footer.js';

const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
/** Footers larger than this are no honest ones: 100,000 column chunks take 20 MB. */
const MOST_FOOTER = 256 * 1024 * 1024;

/** The footer's bytes, once both ends of the file are those of a Parquet file. Throws FORMAT_MISMATCH, FILE_CORRUPT. */
export async function footerOf(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  const head = await range(file, 0, Math.min(4, size));
  if (head.toString('latin1') === ENCRYPTED_MAGIC) throw encrypted();
  if (head.toString('latin1') !== MAGIC) {
    throw new TallymanError('FORMAT_MISMATCH', `The file does not begin as Parquet does (${MAGIC}).`, {
      fix: 'Correct format.type, or the pattern that catches this file.',
    });
  }
  const tail = await range(file, Math.max(0, size - 8), Math.min(8, size));
  if (size < 12 || tail.toString('latin1', 4) !== MAGIC) {
    throw new TallymanError('FILE_CORRUPT', `The Parquet file is cut off: it ends at byte ${size} without ${MAGIC}.`);
  }
  const length = tail.readUInt32LE(0);
  if (length === 0 || length > size - 12)
    throw new TallymanError(
      'FILE_CORRUPT',
      `The Parquet footer is said to have ${length} bytes, the file has ${size}.`,
    );
  if (length > MOST_FOOTER)
    throw new TallymanError(
      'FILE_CORRUPT',
      `The Parquet footer is said to have ${length} bytes; at most ${MOST_FOOTER} are read.`,
    );
  return await range(file, size - 8 - length, length);
}

/** What stands behind a footer: its length and the magic. */
export function footerEnd(length: number): Buffer {
  const end = Buffer.from(`0000${MAGIC}`, 'latin1');
  end.writeUInt32LE(length, 0);
  return end;
}

async function range(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new TallymanError('FILE_CORRUPT', 'The Parquet file ended while it was read.');
    done += bytesRead;
  }
  return bytes;
}
