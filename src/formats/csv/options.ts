import * as z from 'zod';
import type { UnusedKey } from '../../core/format.js';
import { encoding, maxRecord, token } from '../text-options.js';

/**
 * Keys under `format:` of a CSV feed, defaults filled in. Parsing its own result gives the same, because options are
 * parsed more than once.
 */
export const csvOptions = z
  .strictObject({
    header: z.boolean().default(true).describe('First record holds the column names. false: columns by position.'),
    delimiter: token('delimiter')
      .default(',')
      .describe(
        'One or more characters between cells, or auto: found out on the first MiB of each file, and reported with its load.',
      ),
    quote: token('quote').nullable().default('"').describe('Quote around cells. null: no quoting.'),
    escape: token('escape')
      .nullable()
      .optional()
      .describe('Inside quotes, makes the next character literal. Default: the quote itself, doubled. null: none.'),
    comment: token('comment')
      .nullable()
      .default(null)
      .describe('A record that begins with this is a comment, before the header too. null: none.'),
    skip_lines: z
      .int()
      .min(0)
      .default(0)
      .describe('Physical lines before the header that are passed over; quotes in them are not seen.'),
    encoding: encoding.describe(
      'Encoding of the file: utf-8, any other WHATWG or iconv label (latin1 means windows-1252, as on the web), or auto: byte order mark, then UTF-16 by its zeros, then UTF-8, then windows-1252.',
    ),
    nulls: z.array(z.string()).default(['']).describe('Cells that mean NULL: raw text, case-sensitive.'),
    nulls_quoted: z.boolean().default(false).describe('Quoted cells too can mean NULL.'),
    short_rows: z
      .enum(['quarantine', 'fill_null'])
      .default('quarantine')
      .describe('What becomes of a row with too few cells.'),
    max_record: maxRecord.describe('Longest record; a longer one is refused. 16MiB by default.'),
  })
  .superRefine((options, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
    const { delimiter, quote, comment } = options;
    const escape = options.escape ?? quote;
    // What is found out never clashes with what is set (sniff.ts).
    const open = delimiter === 'auto';
    if (quote !== null && !open && clash(quote, delimiter)) refuse('quote', 'cannot be told from delimiter');
    if (escape !== null && escape !== quote && !open && clash(escape, delimiter))
      refuse('escape', 'cannot be told from delimiter');
    if (escape !== null && quote !== null && escape !== quote && clash(escape, quote))
      refuse('escape', 'cannot be told from quote');
    if (comment !== null && quote !== null && clash(comment, quote)) refuse('comment', 'cannot be told from quote');
    if (comment !== null && !open && clash(comment, delimiter)) refuse('comment', 'cannot be told from delimiter');
  });

/** Keys about quotes where there are none. */
export function unusedKeys(options: Readonly<Record<string, unknown>>): readonly UnusedKey[] {
  if (options['quote'] !== null || options['escape_unquoted'] === true) return [];
  const set = { escape: typeof options['escape'] === 'string', nulls_quoted: options['nulls_quoted'] === true };
  const message = 'it works inside quotes only, and quote: null says that there are none.';
  const hint = 'Drop it, or say which quote the file has.';
  return (['escape', 'nulls_quoted'] as const).flatMap((key) => (set[key] ? [{ key, message, hint }] : []));
}

/** One begins with the other. */
const clash = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

export type CsvOptions = z.output<typeof csvOptions>;
