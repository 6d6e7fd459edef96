import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TallymanError } from '../../core/errors.js';
import type { FormatInput } from '../../core/format.js';
import { ReadingProcess } from './child.js';
import { meetColumns } from './columns.js';
import { ParquetReader } from './reader.js';

export async function openParquet(input: FormatInput): Promise<ParquetReader> {
  if (input.path === null) throw new TallymanError('INTERNAL', 'Parquet is read from a file');
  const process = ReadingProcess.take(input.signal ?? null);
  try {
    const scratch = path.join(input.workDir ?? tmpdir(), `spool-${globalThis.process.pid}-${randomUUID()}.parquet`);
    const described = await process.open(input.path, scratch);
    return new ParquetReader(
      process,
      meetColumns(described.columns, input.contract, input.onUnknownColumn ?? 'ignore'),
      described.rows,
      input.contract,
    );
  } catch (error) {
    if (error instanceof TallymanError && error.blame === 'file') await process.release();
    else await process.kill();
    throw error;
  }
}
