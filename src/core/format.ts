import type { z } from 'zod';
import type { Batch } from './batch.js';
import type { ColumnSpec } from './feed/columns.js';
import type { ExpansionSpec } from './feed/input.js';
import type { FeedSpec } from './feed/feed.js';

/** Bytes in order, chunk by chunk. A chunk may be kept by the receiver until it asks for the one after the next. */
export type Bytes = AsyncIterable<Buffer>;

/** How registry.ts names a format. */
export interface FormatType<O extends Record<string, unknown> = Record<string, unknown>> {
  readonly type: string;
  /** Keys under `format:` beside `type`. Strict. */
  readonly options: z.ZodType<O>;
  /** Default of on_unknown_column under a contract; omitted = reject. */
  readonly unknownColumn?: 'ignore';
  /** `stream`: reads bytes front to back. `file`: needs a local path (random access). */
  readonly access: 'stream' | 'file';
  /** A file of 0 bytes, or only a BOM or blank lines, is an empty file (csv, json) or a broken one (parquet, xlsx). */
  readonly emptyIsValid: boolean;
  /** `nulls` under `format:` lists texts that mean NULL. Omitted = values say by themselves whether they are there. */
  readonly hasNullWords?: true;
  /**
   * Rows of cells, perhaps below titles: `header` and `skip_rows` under `format:` say where the table begins. Omitted =
   * the file's structure says it.
   */
  readonly isSheet?: true;
  /** Names of the sheets of a file that has several tables, which `sheet` under `format:` chooses from. */
  readonly sheets?: (path: string) => Promise<readonly string[]>;
  /**
   * What is wrong with a contract (null = none) for this format; config/ reports it with its place. Omitted: any
   * contract will do.
   */
  readonly contractProblems?: (contract: readonly ColumnSpec[] | null) => readonly ContractProblem[];
  /** Keys that are set and change nothing beside the others; config/ warns of them. Omitted = there are none. */
  unused?(options: O): readonly UnusedKey[];
  /** What the options say about the text that the file is; null = its bytes are no text. */
  text(options: O): TextDialect | null;
  open(input: FormatInput, options: O): Promise<RecordReader>;
}

/** A text format's options as those need them who handle its bytes before the format does. */
export interface TextDialect {
  /** Label of the file's encoding, or `auto`. */
  readonly encoding: string;
  /** Physical lines that stand before everything. */
  readonly skipLines: number;
  /** Lines that begin with this are comments; null = there are none. */
  readonly comment: string | null;
  /** Quote around cells; null = no quoting. */
  readonly quote: string | null;
  /** Makes the next character literal within quotes; null = nothing does but the quote itself, doubled. */
  readonly escape: string | null;
  /**
   * Keys of RecordReader.dialect() that are found out file by file. What the config says is not among them: it changes
   * with the config only.
   */
  readonly found: readonly string[];
  /**
   * Each record ends with its line, so that a text whose last line has no line end may be cut off. Asked once the file
   * was read, with its dialect.
   */
  readonly inLines: (told: FileDialect) => boolean;
}

/** A key under `format:` that changes nothing where it stands. */
export interface UnusedKey {
  readonly key: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A mistake in a contract that only its format knows to be one. */
export interface ContractProblem {
  /** Index of the column; null = the contract as a whole. */
  readonly column: number | null;
  /** Key of the column that is at fault; null = the column. */
  readonly key: string | null;
  readonly message: string;
  /** What to write instead; may be empty. */
  readonly hint: string;
}

export interface FormatInput {
  /** Decrypted, decompressed bytes as delivered in the file's encoding. Empty for `access: 'file'`. */
  readonly bytes: Bytes;
  /** Local path, for `access: 'file'`. */
  readonly path: string | null;
  /** The contract; null = land what comes. */
  readonly contract: readonly ColumnSpec[] | null;
  /**
   * For formats whose columns are only met on the way (JSON keys); omitted = ignore. Others tell theirs in
   * Layout.unknown and leave it to the load.
   */
  readonly onUnknownColumn?: FeedSpec['onUnknownColumn'];
  /**
   * How far a format that is compressed within itself (Avro blocks, the zip that a workbook is) may expand; omitted =
   * as by default in config.
   */
  readonly maxExpansion?: ExpansionSpec;
  /** About how many bytes will come, where that is known to be few: buffers are then made no larger. Omitted = many. */
  readonly sizeHint?: number;
  /**
   * Private folder for temporary files of `access: 'file'`; omitted = the system's. Their names begin with
   * `spool-PID-`.
   */
  readonly workDir?: string;
  /** Calls the reading off. */
  readonly signal?: AbortSignal;
  /** Most rows a batch may hold; tests use small ones. Default chosen by the format. */
  readonly batchRows?: number;
}

/** A column as the file shows it. */
export interface FileColumn {
  /** As it stands in the file (unquoted, unescaped), or `column_N` when there is no header. */
  readonly name: string;
  /** Type that the format carries, in the config's words; null = text cells. */
  readonly type: string | null;
}

/** Something about the file's shape that is worth reporting, though it was accepted (drift). */
export interface DriftNote {
  readonly kind:
    | 'unknown'
    | 'missing'
    | 'renamed'
    | 'reordered'
    | 'retyped'
    | 'added'
    | 'ignored'
    | 'dialect'
    | 'mtime'
    | 'beside'
    | 'unterminated'
    // Told as `lines_skipped`, not among the notes.
    | 'passed';
  readonly column: string;
  readonly message: string;
  /** `passed`: lines that were passed over on purpose (comments, skip_lines). */
  readonly lines?: number;
  /** `passed`: records that were passed over, under the rule that `column` names. */
  readonly rows?: number;
  /** Of an unknown column: the type that the format carries. Omitted = none, a text. */
  readonly type?: string;
}

/** How contract and file columns meet. */
export interface Layout {
  /** The file's columns in file order. Under a JSON contract: the contract's columns. */
  readonly fileColumns: readonly FileColumn[];
  /**
   * For each contract column, the index of its cell in a batch row, or -1 when the file lacks it. Under no contract:
   * identity over fileColumns.
   */
  readonly cellOf: readonly number[];
  /** Indices into fileColumns that no contract column takes. */
  readonly unknown: readonly number[];
  /** Names of contract columns that the file lacks. */
  readonly missing: readonly string[];
  /**
   * Most cells of a row that one of its bytes is in (JSON: an object and a value inside it); 1 unless said. The encoder
   * makes so much room.
   */
  readonly overlap?: number;
  /** Cells that a row lacks at its end are NULL. Omitted = such a row is refused. */
  readonly shortRows?: 'fill_null';
  /** Cells behind the last column go into the column of what is rescued. Omitted = such a row is refused. */
  readonly longRows?: 'rescue';
  /** Cells that stand without quotes are JSON values (numbers, objects, lists), not texts. Omitted = no. */
  readonly jsonCells?: true;
  /** May grow until `next` has given null: some things are only met on the way. Read it at the end. */
  readonly drift: readonly DriftNote[];
}

/**
 * What was used to read a file: {format, encoding, delimiter, quote, line_ends, ...}; stored with the receipt, so that
 * a record in quarantine can still be taken apart when the config has long changed. `columns`: the file's own names in
 * its order. `cells`: from which cell (from 1) each contract column was taken.
 */
export type FileDialect = Readonly<
  Record<string, string | number | boolean | null | readonly string[] | Readonly<Record<string, number>>>
>;

/**
 * One open file being read. `layout` is known once FormatType.open has resolved. Errors of the whole file are
 * TallymanError with a file-level code (HEADER_MISSING, FILE_CORRUPT ...): the file is rejected. Errors of a record
 * never throw: they are in the batch.
 */
export interface RecordReader {
  readonly layout: Layout;
  /** True when the file holds no bytes, only a BOM or only blank lines (docs/spec/which-file-is-new.md#empty-files). */
  readonly empty: boolean;
  dialect(): FileDialect;
  /** Records that the format itself declares (Parquet footer), else null. */
  readonly declaredRows: number | null;
  /**
   * Of an archive: the member that the record came from, by its number from 1; null = it has none. May be asked for all
   * records that `next` has given. Omitted = no archive.
   */
  memberOf?(row: number): string | null;
  /**
   * Next batch, or null at the end. The batch's buffers may be reused by the next call: take what you need before it.
   */
  next(): Promise<Batch | null>;
  /** Ends reading early; idempotent. */
  close(): Promise<void>;
}
