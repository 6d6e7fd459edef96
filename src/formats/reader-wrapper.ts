import type { Batch } from '../core/batch.js';
import type { FileDialect, Layout, RecordReader } from '../core/format.js';

/**
 * A reader over another one, of which every member is passed on; a subclass overrides those that it is about.
 * `Required`: an optional member that RecordReader gets one day has to be passed on here too, or this does not compile.
 */
export class ReaderWrapper implements Required<RecordReader> {
  protected readonly inner: RecordReader;

  constructor(inner: RecordReader) {
    this.inner = inner;
  }

  get layout(): Layout {
    return this.inner.layout;
  }

  get empty(): boolean {
    return this.inner.empty;
  }

  get declaredRows(): number | null {
    return this.inner.declaredRows;
  }

  dialect(): FileDialect {
    return this.inner.dialect();
  }

  memberOf(row: number): string | null {
    return this.inner.memberOf?.(row) ?? null;
  }

  async next(): Promise<Batch | null> {
    return await this.inner.next();
  }

  async close(): Promise<void> {
    await this.inner.close();
  }
}
