import { rm } from 'node:fs/promises';
import type { FormatInput, RecordReader } from '../../core/format.js';
import { ReaderWrapper } from '../../formats/reader-wrapper.js';
import { spool } from './spool.js';

/**
 * Opens a format that reads here and there: in a private copy of the bytes, which is gone when the reader is closed.
 * `path`: bytes that stand in a private file already (a landed copy) need no second one.
 */
export async function openFile(
  input: Omit<FormatInput, 'path'> & { readonly workDir: string },
  path: string | null,
  open: (input: FormatInput) => Promise<RecordReader>,
): Promise<RecordReader> {
  if (path !== null) return await open({ ...input, path });
  const copy = await spool(input.bytes, input.workDir);
  try {
    return new FileReader(await open({ ...input, path: copy }), copy);
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}

class FileReader extends ReaderWrapper {
  readonly #copy: string;

  constructor(inner: RecordReader, copy: string) {
    super(inner);
    this.#copy = copy;
  }

  override async close(): Promise<void> {
    await this.inner.close();
    await rm(this.#copy, { force: true });
  }
}
