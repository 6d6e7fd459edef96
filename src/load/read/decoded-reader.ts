import type { Batch } from '../../core/batch.js';
import type { Bytes, DriftNote, FileDialect, Layout, RecordReader } from '../../core/format.js';
import type { DosText } from '../../formats/dos-end.js';
import { ReaderWrapper } from '../../formats/reader-wrapper.js';
import type { DecodedBytes } from '../../decode/open.js';
import type { TextEnd } from './text-end.js';

/**
 * A reader over decoded bytes: tells how they were decoded, and reads them to their end, where a decoder finds what is
 * cut off or too much.
 */
export class DecodedReader extends ReaderWrapper {
  readonly #rest: Bytes;
  readonly #decoding: FileDialect;
  readonly #signed: (() => string) | null;
  readonly #notes: readonly DriftNote[];
  readonly #end: TextEnd | null;
  readonly #dos: DosText | null;

  /** `end`, `dos`: of the same text; null = the format is no text. */
  constructor(
    inner: RecordReader,
    text: DecodedBytes,
    compression: string,
    end: TextEnd | null = null,
    dos: DosText | null = null,
  ) {
    super(inner);
    this.#end = end;
    this.#dos = dos;
    this.#rest = text.bytes;
    this.#decoding = { compression, ...(text.encoding === null ? {} : { encoding: text.encoding }) };
    this.#signed = text.signed ?? null;
    this.#notes = text.doubt === undefined ? [] : [{ kind: 'dialect', column: '', message: text.doubt }];
  }

  override get layout(): Layout {
    const { layout } = this.inner;
    const late = this.#dos?.notes() ?? [];
    return this.#notes.length + late.length === 0
      ? layout
      : { ...layout, drift: [...this.#notes, ...layout.drift, ...late] };
  }

  override dialect(): FileDialect {
    const told = this.inner.dialect();
    return {
      ...told,
      ...this.#decoding,
      ...(this.#signed === null ? {} : { pgp: this.#signed() }),
      ...(this.#end === null || this.inner.empty ? {} : this.#end.told(told)),
    };
  }

  override async next(): Promise<Batch | null> {
    const batch = await this.inner.next();
    if (batch === null) await drain(this.#rest);
    return batch;
  }
}

async function drain(bytes: Bytes): Promise<void> {
  const rest = bytes[Symbol.asyncIterator]();
  while ((await rest.next()).done !== true);
}
