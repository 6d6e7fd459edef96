import { quoteIdentifier } from '../connect/identifiers.js';
import { controlNames } from './control-schema.js';

/** Columns of tallyman.quarantine that a load writes, in the order of its COPY rows; the rest have defaults. */
export const QUARANTINE_COLUMNS = [
  'load_id',
  'row_number',
  'line_number',
  'byte_offset',
  'errors',
  'raw',
  'raw_length',
] as const;

/** The binary COPY that brings bad rows into tallyman.quarantine. */
export const quarantineCopySql = (schema: string): string =>
  `COPY ${controlNames(schema).quarantine} (${QUARANTINE_COLUMNS.map(quoteIdentifier).join(', ')}) FROM STDIN WITH (FORMAT binary, ENCODING 'UTF8')`;
