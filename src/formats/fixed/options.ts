import * as z from 'zod';
import { encoding, maxRecord, token } from '../text-options.js';

/**
 * Keys under `format:` of a fixed-width feed, defaults filled in. Parsing its own result gives the same, because
 * options are parsed more than once.
 */
export const fixedOptions = z.strictObject({
  header: z
    .boolean()
    .default(false)
    .describe('The first line is a header and passed over. Columns are found by start and width, never by name.'),
  comment: token('comment')
    .nullable()
    .default(null)
    .describe('A line that begins with this is a comment, before the header too. null: none.'),
  skip_lines: z.int().min(0).default(0).describe('Physical lines before the header that are passed over.'),
  encoding: encoding.describe(
    'Encoding of the file, as for csv. start and width count characters of the decoded text.',
  ),
  nulls: z
    .array(z.string())
    .default([''])
    .describe('Cells that mean NULL, without the blanks behind them, case-sensitive.'),
  short_rows: z
    .enum(['quarantine', 'fill_null'])
    .default('quarantine')
    .describe('A line that ends before the last column does: refused, or read as if blanks stood behind it.'),
  max_record: maxRecord.describe('Longest line; a longer one is refused. 16MiB by default.'),
});

export type FixedOptions = z.output<typeof fixedOptions>;
