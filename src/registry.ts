import './base/zod-config.js';
import type { Decoder } from './core/decoder.js';
import type { FormatType } from './core/format.js';
import type { SourceType } from './core/source.js';
import { bzip2 } from './decode/bzip2/bzip2.js';
import { gzip } from './decode/gzip.js';
import { xz } from './decode/xz.js';
import { zip } from './decode/zip.js';
import { zstd } from './decode/zstd.js';
import { avro } from './formats/avro/index.js';
import { csv } from './formats/csv/index.js';
import { excel } from './formats/excel/index.js';
import { fixed } from './formats/fixed/index.js';
import { json } from './formats/json/index.js';
import { parquet } from './formats/parquet/index.js';
import { local } from './sources/local/index.js';
import { s3 } from './sources/s3/index.js';
import { sftp } from './sources/sftp/index.js';

/**
 * Every source, decoder and format that the program knows: one line each. Column types stand in columns/types/index.ts.
 */
export const SOURCES: readonly SourceType[] = [local, sftp, s3];

export const DECODERS: readonly Decoder[] = [gzip, zstd, bzip2, xz, zip];

export const FORMATS: readonly FormatType[] = [csv, json, fixed, excel, avro, parquet];
