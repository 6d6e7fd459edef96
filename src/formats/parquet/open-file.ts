import { constants } from 'node:fs';
import { copyFile, open, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import duckdb from '@duckdb/node-bindings';
import {
  DuckDBInstance,
  quotedIdentifier,
  quotedString,
  type DuckDBConnection,
  type DuckDBResult,
} from '@duckdb/node-api';
import { TallymanError } from '../../core/errors.js';
import { readColumn, type ReadColumn } from './duckdb-types.js';
import { footerEnd, footerOf } from './file-ends.js';
import { readFooter, type Footer } from './footer.js';
import type { ColumnPath, Described } from './frames.js';
import { Packer } from './pack.js';

/**
 * One thread: rows come in the order of the file, row group by row group, and memory is that of one. No extensions, no
 * spilling, no caches that outlive a file under the same name, nothing in a home folder.
 */
const SETTINGS = {
  threads: '1',
  memory_limit: '1GiB',
  max_temp_directory_size: '0KiB',
  temp_directory: '',
  home_directory: '',
  secret_directory: '',
  allow_persistent_secrets: 'false',
  autoload_known_extensions: 'false',
  autoinstall_known_extensions: 'false',
  allow_community_extensions: 'false',
  enable_external_file_cache: 'false',
  preserve_insertion_order: 'true',
} as const;

/** Not the names of folders, nor other files that look alike: one file, as it is. */
const AS_IT_IS = 'hive_partitioning = false, union_by_name = false, filename = false, binary_as_string = false';

/** A Parquet file opened by DuckDB, in the process of duckdb-worker.ts. */
export class OpenFile {
  readonly described: Described;
  readonly #connection: DuckDBConnection;
  readonly #source: string;
  readonly #names: readonly string[];
  readonly #columns: readonly ReadColumn[];
  readonly #scratch: string | null;

  private constructor(
    connection: DuckDBConnection,
    source: string,
    result: DuckDBResult,
    footer: Footer,
    scratch: string | null,
  ) {
    this.#connection = connection;
    this.#source = source;
    this.#scratch = scratch;
    this.#names = result.deduplicatedColumnNames();
    if (this.#names.length !== footer.columns.length)
      throw new TallymanError(
        'FILE_CORRUPT',
        `The Parquet file has ${footer.columns.length} columns, ${this.#names.length} of which can be read.`,
      );
    this.#columns = result.columnTypes().map((type, i) => readColumn(type, footer.columns[i]!.leaves));
    this.described = {
      rows: footer.rows,
      columns: this.#columns.map(({ type, word }, i) => ({ name: footer.columns[i]!.name, type, word })),
    };
  }

  /**
   * `scratch`: where a copy may be put when columns have to be declared anew. Throws FILE_CORRUPT, FORMAT_MISMATCH, and
   * what DuckDB throws.
   */
  static async open(file: string, scratch: string): Promise<OpenFile> {
    const handle = await open(file, constants.O_RDONLY);
    let footer: Footer;
    try {
      footer = readFooter(await footerOf(handle));
    } finally {
      await handle.close();
    }
    const copied = footer.exact === null ? null : scratch;
    if (footer.exact !== null) await declareAnew(file, scratch, footer.exact);
    const readFrom = copied ?? file;
    try {
      const connection = await connectionFor(path.dirname(readFrom));
      const source = `read_parquet(${quotedString(readFrom)}, ${AS_IT_IS})`;
      return new OpenFile(connection, source, await connection.run(`SELECT * FROM ${source} LIMIT 0`), footer, copied);
    } catch (error) {
      await forget();
      if (copied !== null) await rm(copied, { force: true });
      throw error;
    }
  }

  /** Sends the rows of these columns, in the file's order. */
  async read(columns: readonly ColumnPath[], send: (frame: Buffer) => void): Promise<void> {
    try {
      const wanted = columns.map((column) => this.#expression(column));
      // DuckDB wants at least one column, whatever it is.
      const result = await this.#connection.stream(
        `SELECT ${wanted.length === 0 ? 'true' : wanted.map(({ sql }) => sql).join(', ')} FROM ${this.#source}`,
      );
      const packer = new Packer();
      let ahead = result.fetchChunk();
      for (;;) {
        const chunk = await ahead;
        if (chunk === null || chunk.rowCount === 0) return;
        // DuckDB decodes the next rows while these are packed and sent.
        ahead = result.fetchChunk();
        ahead.catch(() => undefined);
        const vectors = wanted.map(({ type }, i) => ({ vector: duckdb.data_chunk_get_vector(chunk.chunk, i), type }));
        packer.rows(vectors, 0, chunk.rowCount, send);
      }
    } catch (error) {
      await forget();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#scratch !== null) await rm(this.#scratch, { force: true });
  }

  #expression({ column, fields }: ColumnPath): { readonly sql: string; readonly type: ReadColumn['type'] } {
    const name = this.#names[column];
    const read = this.#columns[column];
    if (name === undefined || read === undefined) throw new TallymanError('INTERNAL', `there is no column ${column}`);
    let { type } = read;
    let sql = quotedIdentifier(name);
    for (const field of fields) {
      const inner = type.kind === 'struct' ? type.fields[field] : undefined;
      if (inner === undefined) throw new TallymanError('INTERNAL', `column ${column} has no field ${field}`);
      sql = `struct_extract_at(${sql}, ${field + 1})`;
      type = inner.type;
    }
    return { sql: read.asText ? `CAST(${sql} AS VARCHAR)` : sql, type };
  }
}

/** The file with another footer behind it: data stays where it was, and the old footer is passed over. */
async function declareAnew(file: string, copy: string, footer: Buffer): Promise<void> {
  await copyFile(file, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  let handle: FileHandle | null = null;
  try {
    handle = await open(copy, constants.O_WRONLY | constants.O_APPEND);
    await handle.writeFile(Buffer.concat([footer, footerEnd(footer.length)]));
  } finally {
    await handle?.close();
  }
}

/** An instance takes 50 ms, a file 2: it is kept for files of the same folder, which is all that it may see. */
let kept: { readonly dir: string; readonly instance: DuckDBInstance; readonly connection: DuckDBConnection } | null =
  null;

async function connectionFor(dir: string): Promise<DuckDBConnection> {
  if (kept?.dir === dir) return kept.connection;
  await forget();
  const instance = await DuckDBInstance.create(':memory:', { ...SETTINGS });
  const connection = await instance.connect();
  await connection.run(`SET allowed_directories = [${quotedString(dir)}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  kept = { dir, instance, connection };
  return connection;
}

/** After an error an instance may be good for nothing any more. */
function forget(): Promise<void> {
  const old = kept;
  kept = null;
  old?.connection.closeSync();
  old?.instance.closeSync();
  return Promise.resolve();
}
