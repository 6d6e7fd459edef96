import * as z from 'zod';
import type { UnusedKey } from '../../core/format.js';
import { encoding, footerKey, maxRecord, token } from '../text-options.js';
import { ESCAPE_LETTERS } from './loose/escape-letters.js';
import { PRESET_NAMES, PRESETS, USUAL, type PresetDefaults } from './presets.js';

/** A key whose default hangs on the preset. */
const byPreset = <T extends z.ZodType>(schema: T, key: keyof PresetDefaults): z.ZodOptional<T> =>
  schema.optional().meta({ default: USUAL[key] });

/** More rows of titles and units than any header has. */
const MOST_HEADER_ROWS = 20;
const headerRows = z.int().min(1).max(MOST_HEADER_ROWS);
const headerKey = z.union([
  z.boolean(),
  headerRows,
  z
    .strictObject({
      rows: headerRows.describe('Records that the header has.'),
      names: headerRows.describe('Which of them holds the names, from 1.'),
    })
    .refine(({ rows, names }) => names <= rows, { path: ['names'], message: 'names one of the rows: from 1 to rows' }),
]);

/**
 * Keys under `format:` of a CSV feed, defaults filled in. Parsing its own result returns the same, because options are
 * parsed more than once.
 */
export const csvOptions = z
  .strictObject({
    preset: z
      .enum(PRESET_NAMES)
      .optional()
      .describe(
        'Defaults for files from one place: mysql (OUTFILE), redshift (UNLOAD), pgcopy (COPY TO text), excel, rfc4180.',
      ),
    header: byPreset(headerKey, 'header').describe(
      'First record holds the names; 2: the first two, joined; { rows: 2, names: 1 }: one of them. false: by position.',
    ),
    delimiter: byPreset(token('delimiter'), 'delimiter').describe(
      'One or more characters between cells, or auto: found out on the first MiB of each file and reported with its load.',
    ),
    quote: byPreset(token('quote').nullable(), 'quote').describe('Quote around cells. null: no quoting.'),
    escape: token('escape')
      .nullable()
      .optional()
      .describe(
        'Inside quotes, makes the next character literal. Default: the quote, doubled; with escape_unquoted \\.',
      ),
    quotes: z
      .enum(['strict', 'lenient'])
      .default('strict')
      .describe('lenient: a quote inside a quoted cell that no delimiter or line end follows is a character.'),
    quote_blanks: z
      .boolean()
      .default(false)
      .describe('Blanks and tabs around a quoted cell are passed over. false: text behind a closing quote is refused.'),
    escape_unquoted: byPreset(z.boolean(), 'escape_unquoted').describe(
      'The escape works outside quotes too: a delimiter or line end behind it is part of the cell.',
    ),
    escape_letters: byPreset(z.enum(ESCAPE_LETTERS).nullable(), 'escape_letters').describe(
      'Whose letters behind an escape stand for control characters (n, t, r ...). null: for themselves.',
    ),
    excel_text: byPreset(z.boolean(), 'excel_text').describe(
      '="00123" is the text 00123: how numbers are kept from Excel.',
    ),
    comment: token('comment')
      .nullable()
      .default(null)
      .describe('A record that begins with this is a comment, before the header too. null: none.'),
    skip_lines: z
      .int()
      .min(0)
      .default(0)
      .describe('Physical lines before the header that are passed over; quotes in them are not seen.'),
    skip_after_header: z
      .int()
      .min(0)
      .default(0)
      .describe('Physical lines between the header and the first record that are passed over.'),
    repeated_header: z
      .enum(['skip', 'data'])
      .default('data')
      .describe('skip: records that say what the header says are passed over, as in files that were put together.'),
    footer: footerKey,
    encoding: byPreset(encoding.unwrap(), 'encoding').describe(
      'Encoding of the file: utf-8, any other WHATWG or iconv label (latin1 means windows-1252, as on the web), or auto: byte order mark, then UTF-16 by its zeros, then UTF-8, then windows-1252.',
    ),
    nulls: byPreset(z.array(z.string()), 'nulls').describe('Cells that mean NULL: raw text, case-sensitive.'),
    nulls_quoted: z.boolean().default(false).describe('Quoted cells too can mean NULL.'),
    short_rows: z
      .enum(['quarantine', 'fill_null'])
      .default('quarantine')
      .describe('What becomes of a row with too few cells.'),
    long_rows: z
      .enum(['quarantine', 'drop', 'rescue'])
      .default('quarantine')
      .describe('What becomes of cells behind the last column. rescue: they go into _rescued as column_N.'),
    max_record: maxRecord.describe('Longest record; a longer one is refused. 16MiB by default.'),
  })
  .transform((written) => {
    const usual = { ...USUAL, ...PRESETS[written.preset ?? 'rfc4180'] };
    return {
      ...written,
      header: written.header ?? usual.header,
      delimiter: written.delimiter ?? usual.delimiter,
      quote: written.quote === undefined ? usual.quote : written.quote,
      encoding: written.encoding ?? usual.encoding,
      nulls: written.nulls ?? usual.nulls,
      escape_unquoted: written.escape_unquoted ?? usual.escape_unquoted,
      escape_letters: written.escape_letters === undefined ? usual.escape_letters : written.escape_letters,
      excel_text: written.excel_text ?? usual.excel_text,
    };
  })
  .superRefine((options, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
    const { delimiter, quote, comment } = options;
    const escape = escapeOf(options);
    // What is found out never clashes with what is set (sniff.ts).
    const open = delimiter === 'auto';
    if (quote !== null && !open && clash(quote, delimiter)) refuse('quote', 'cannot be told from delimiter');
    if (escape !== null && escape !== quote && !open && clash(escape, delimiter))
      refuse('escape', 'cannot be told from delimiter');
    if (escape !== null && quote !== null && escape !== quote && clash(escape, quote))
      refuse('escape', 'cannot be told from quote');
    if (options.escape_unquoted && (escape === null || escape === quote))
      refuse('escape_unquoted', 'needs an escape that is not the quote');
    if (options.escape_letters !== null && !options.escape_unquoted)
      refuse('escape_letters', 'has no meaning without escape_unquoted: true');
    if (options.header === false) {
      if (options.skip_after_header > 0) refuse('skip_after_header', 'has no meaning without a header');
      if (options.repeated_header === 'skip') refuse('repeated_header', 'has no meaning without a header');
    }
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

/** The escape that the options mean: by default the quote, doubled; a backslash where it works outside quotes too. */
export const escapeOf = ({
  escape,
  quote,
  escape_unquoted: unquoted,
}: Pick<CsvOptions, 'escape' | 'quote' | 'escape_unquoted'>): string | null =>
  escape === undefined ? (unquoted ? '\\' : quote) : escape;

/** Records of the header, and which of them holds the names (from 1; null = all of them, joined); null = no header. */
export function headerOf({ header }: Pick<CsvOptions, 'header'>): HeaderSpec | null {
  if (header === false) return null;
  if (typeof header === 'object') return header;
  return { rows: header === true ? 1 : header, names: null };
}

export interface HeaderSpec {
  readonly rows: number;
  readonly names: number | null;
}

/** One begins with the other. */
const clash = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

export type CsvOptions = z.output<typeof csvOptions>;
