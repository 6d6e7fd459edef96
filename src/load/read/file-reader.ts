import { rm } from 'node:fs/promises';
import type { Batch } from '../../core/batch.js';
import type { FileDialect, FormatInput, Layout, RecordReader } from '../../core/format.js';
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

class FileReader implements RecordReader {
  readonly #inner: RecordReader;
  readonly #copy: string;

  constructor(inner: RecordReader, copy: string) {
    this.#inner = inner;
    this.#copy = copy;
  }

  get layout(): Layout {
    return this.#inner.layout;
  }

  get empty(): boolean {
    return this.#inner.empty;
  }

  get declaredRows(): number | null {
    return this.#inner.declaredRows;
  }

  dialect(): FileDialect {
    return this.#inner.dialect();
  }

  async next(): Promise<Batch | null> {
    return await this.#inner.next();
  }

  async close(): Promise<void> {
    await this.#inner.close();
    await rm(this.#copy, { force: true });
  }
}
