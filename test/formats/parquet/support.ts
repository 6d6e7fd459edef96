import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { RawRow } from '../../../src/columns/rows/batch-rows.js';
import type { ColumnSpec } from '../../../src/core/feed/columns.js';
import type { RecordReader } from '../../../src/core/format.js';
import { parquet } from '../../../src/formats/parquet/index.js';

export const CORPUS = path.resolve(import.meta.dirname, '../../../../shared/data/parquet');

/** A folder that is gone after the tests. */
export function folder(): { readonly dir: string; readonly file: (name: string) => string; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-parquet-'));
  return { dir, file: (name) => path.join(dir, name), remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** DuckDB in the test's own process: writes files, and says what stands in them. */
export async function duckdb(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(`SET TimeZone = 'UTC'`);
  return connection;
}

export const open = async (
  file: string,
  contract: readonly ColumnSpec[] | null = null,
  more: Partial<Parameters<typeof parquet.open>[0]> = {},
): Promise<RecordReader> =>
  await parquet.open(
    {
      bytes: nothing(),
      path: file,
      contract,
      workDir: path.dirname(file).startsWith(CORPUS) ? tmpdir() : path.dirname(file),
      ...more,
    },
    {},
  );

async function* nothing(): AsyncGenerator<Buffer> {
  // read by path
}

export interface ReadFile {
  readonly columns: readonly { readonly name: string; readonly type: string | null }[];
  /** Each row as the JSON that quarantine would keep. */
  readonly rows: readonly string[];
  readonly declared: number | null;
}

/** All rows; checks that they are numbered through. */
export async function read(
  file: string,
  contract: readonly ColumnSpec[] | null = null,
  more: Partial<Parameters<typeof parquet.open>[0]> = {},
): Promise<ReadFile> {
  const reader = await open(file, contract, more);
  const rows: string[] = [];
  const raw = new RawRow();
  try {
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      if (batch.firstRow !== rows.length + 1)
        throw new Error(`a batch begins with row ${batch.firstRow} behind ${rows.length} rows`);
      for (let row = 0; row < batch.rows; row++) rows.push(raw.of(batch, row).toString());
    }
    return { columns: reader.layout.fileColumns, rows, declared: reader.declaredRows };
  } finally {
    await reader.close();
  }
}
