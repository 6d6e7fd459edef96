import * as z from 'zod';

/** Parquet says everything about itself. */
export const parquetOptions = z.strictObject({});

export type ParquetOptions = z.infer<typeof parquetOptions>;
