import * as z from 'zod';
import { NEGATIVE_FORMS } from '../../core/feed/columns.js';
import { cellText, identifier, oneOrMany, regex, text, timeZone } from './scalars.js';

const count = () => z.number().int().min(0);
const position = () => z.number().int().min(1);

/** Keys whose scalars are texts of values: read as written, quoted or not. */
export const VALUE_KEYS: ReadonlySet<string> = new Set([
  'default',
  'min',
  'max',
  'enum',
  'true_values',
  'false_values',
]);

/** The keys of a column (docs/spec/columns.md#keys-of-a-column). */
export const columnShape = {
  name: identifier().describe('Name in the staging table.'),
  from: oneOrMany(z.union([text(), position()]))
    .optional()
    .describe(
      'Where it comes from: header name, list of header names in order of preference, 1-based position, or JSON path. Default: the name.',
    ),
  type: text().describe(
    'text, varchar(n), char(n), smallint, integer, bigint, numeric, numeric(p,s), real, double precision, boolean, date, time, timestamp, timestamptz, uuid, json, jsonb, bytea.',
  ),
  required: z
    .boolean()
    .default(false)
    .describe('NULL is refused (constraint-error, rule required), and so is a file without the column.'),
  unique: z.boolean().default(false).describe('No two accepted rows of a file have the same value; NULLs never clash.'),
  default: cellText().nullable().default(null).describe('Value of a NULL or missing cell, written as in the file.'),
  trim: z.boolean().default(false).describe('Drops blanks around text. All other types ignore them anyway.'),
  format: oneOrMany(text())
    .optional()
    .describe(
      'Date format in strptime letters, epoch_s, epoch_ms, epoch_us, epoch_ns, excel_serial; a list is tried in order.',
    ),
  timezone: timeZone()
    .optional()
    .describe(
      "IANA zone of timestamps without an offset. Default: the feed's. A timestamp (without time zone) takes offsets only with it.",
    ),
  locale: text()
    .optional()
    .describe(
      'Language of the names of months and weekdays in format (%b, %B, %a, %A): fr, de, pt-BR. Default: English.',
    ),
  decimal: z.string().length(1, 'must be one character').default('.').describe('Decimal sign.'),
  thousands: z
    .string()
    .length(1, 'must be one character')
    .nullable()
    .default(null)
    .describe('Sign between groups of thousands; null = none allowed.'),
  negative: oneOrMany(z.enum(NEGATIVE_FORMS))
    .optional()
    .describe(
      'How numbers below zero are written: minus (-5), parentheses ((5)), trailing_minus (5-). Default: minus.',
    ),
  currency: oneOrMany(text())
    .optional()
    .describe('Currency signs that may stand before or behind a number: $, \u20ac, USD.'),
  percent: z
    .enum(['keep', 'divide'])
    .optional()
    .describe('Percent signs: keep takes 7.5% as 7.5, divide as 0.075. Default: refused.'),
  round: z
    .boolean()
    .default(false)
    .describe('Digits beyond the scale are rounded, half away from zero, instead of refused.'),
  true_values: z.array(cellText()).min(1).optional().describe("Words that mean true. Default: PostgreSQL's."),
  false_values: z.array(cellText()).min(1).optional().describe("Words that mean false. Default: PostgreSQL's."),
  min: cellText().optional().describe('Least value.'),
  max: cellText().optional().describe('Greatest value.'),
  min_length: count().optional().describe('Least number of characters.'),
  max_length: count().optional().describe('Greatest number of characters.'),
  pattern: regex().optional().describe('JavaScript regular expression, unanchored.'),
  enum: z.array(cellText()).min(1, 'is an empty list').optional().describe('The only values allowed.'),
  start: position().optional().describe('Fixed width: first character, from 1.'),
  width: position().optional().describe('Fixed width: number of characters.'),
};

export const columnSchema = z.strictObject(columnShape);
export type ColumnInput = z.output<typeof columnSchema>;
