import type { FormatType } from '../../core/format.js';
import { parquetOptions, type ParquetOptions } from './options.js';

export type { ParquetOptions } from './options.js';

/** Parquet, read by DuckDB in a process of its own (docs/decisions/005-parquet.md). */
export const parquet: FormatType<ParquetOptions> = {
  type: 'parquet',
  options: parquetOptions,
  access: 'file',
  emptyIsValid: false,
  text: () => null,
  open: async (input) => {
    const { openParquet } = await import('./open.js');
    return await openParquet(input);
  },
};
