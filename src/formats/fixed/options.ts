import * as z from 'zod';
import { encoding, maxRecord, token } from '../text-options.js';

/** A record is looked for in one piece of memory, in UTF-8. */
const LONGEST_RECORD = 2 ** 20;

/**
 * Keys under `format:` of a fixed-width feed, defaults filled in. Parsing its own result returns the same, because
 * options are parsed more than once.
 */
export const fixedOptions = z
  .strictObject({
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
    unit: z
      .enum(['characters', 'bytes'])
      .default('characters')
      .describe(
        'What start, width and record_length count: characters of the decoded text, ' +
          'or bytes of the delivered one (a Kanji of Shift_JIS is two).',
      ),
    record_length: z
      .int()
      .min(1)
      .max(LONGEST_RECORD)
      .nullable()
      .default(null)
      .describe('Records have this length and no line ends between them. null: one record a line.'),
  })
  .superRefine((options, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
    if (options.unit === 'bytes' && options.encoding === 'auto')
      refuse('unit', 'bytes are those of one encoding, so encoding cannot be auto');
    if (options.record_length === null) return;
    if (options.header) refuse('header', 'with record_length there are no lines: a header cannot be passed over');
    if (options.skip_lines > 0) refuse('skip_lines', 'with record_length there are no lines to be passed over');
    if (options.comment !== null) refuse('comment', 'with record_length there are no lines that could be comments');
  });

export type FixedOptions = z.output<typeof fixedOptions>;
