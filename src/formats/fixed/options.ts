import { z } from 'zod';
import { parseSize } from '../../base/units.js';
import { charsetOf } from '../../decode/charset/charset-names.js';

const MIB = 2 ** 20;
/** A record is held in memory whole, and twice while it grows. */
const LARGEST_RECORD = 512 * MIB;

const size = z.union([z.string(), z.number()]).transform((value, context) => {
  const bytes = typeof value === 'number' ? value : parseSize(value);
  if (bytes !== null && Number.isSafeInteger(bytes) && bytes >= 1 && bytes <= LARGEST_RECORD) return bytes;
  context.addIssue({ code: 'custom', message: 'must be a size from 1 byte to 512MiB, such as 16MiB' });
  return z.NEVER;
});

/**
 * Keys under `format:` of a fixed-width feed, defaults filled in. What it gives it also takes: options may be parsed
 * again.
 */
export const fixedOptions = z.strictObject({
  header: z
    .boolean()
    .default(false)
    .describe('The first line is a header and passed over. Columns are told by start and width, never by name.'),
  comment: z
    .string()
    .min(1, 'comment cannot be empty')
    .refine((text) => !/[\r\n]/.test(text), 'comment cannot hold a line end')
    .nullable()
    .default(null)
    .describe('A line that begins with this is a comment, before the header too. null: none.'),
  skip_lines: z.int().min(0).default(0).describe('Physical lines before the header that are passed over.'),
  encoding: z
    .string()
    .refine(
      (label) => charsetOf(label) !== null,
      'is no encoding that can be read: write for example utf-8, utf-16, windows-1252, shift_jis or auto',
    )
    .default('utf-8')
    .describe('Encoding of the file, as for csv. start and width count characters of the decoded text.'),
  nulls: z
    .array(z.string())
    .default([''])
    .describe('Cells that mean NULL, without the blanks behind them, case-sensitive.'),
  short_rows: z
    .enum(['quarantine', 'fill_null'])
    .default('quarantine')
    .describe('A line that ends before the last column does: refused, or read as if blanks stood behind it.'),
  max_record: size.default(16 * MIB).describe('Longest line; a longer one is refused. 16MiB by default.'),
});

export type FixedOptions = z.output<typeof fixedOptions>;
