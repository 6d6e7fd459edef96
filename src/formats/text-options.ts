import * as z from 'zod';
import { expressionProblem } from '../base/expression/expression.js';
import { parseSize } from '../base/units.js';
import { charsetOf } from '../decode/charset/charset-names.js';

const MIB = 2 ** 20;
/** A record is held in memory whole, and twice while it grows. */
const LARGEST_RECORD = 512 * MIB;

const recordSize = z.union([z.string(), z.number()]).transform((value, context) => {
  const bytes = typeof value === 'number' ? value : parseSize(value);
  if (bytes !== null && Number.isSafeInteger(bytes) && bytes >= 1 && bytes <= LARGEST_RECORD) return bytes;
  context.addIssue({ code: 'custom', message: 'must be a size from 1 byte to 512MiB, such as 16MiB' });
  return z.NEVER;
});

/** `max_record`: bytes of the longest record that is read. */
export const maxRecord = recordSize.default(16 * MIB);

/** `encoding`: a label that decode/ knows, or auto. */
export const encoding = z
  .string()
  .refine(
    (label) => charsetOf(label) !== null,
    'is no encoding that can be read: write for example utf-8, utf-16, windows-1252, shift_jis or auto',
  )
  .default('utf-8');

/** Text that stands in a file between or before others, such as a delimiter or the sign of a comment. */
export const token = (what: string): z.ZodString =>
  z
    .string()
    .min(1, `${what} cannot be empty`)
    .refine((text) => !/[\r\n]/.test(text), `${what} cannot hold a line end`);

const expression = z.string().superRefine((text, context) => {
  const problem = text === '' ? 'cannot be empty' : expressionProblem(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** `footer`: what records at the end of a file say that are no data. */
export const footerKey = z
  .union([expression, z.array(expression).min(1)])
  .nullable()
  .default(null)
  .describe('Records at the end of the file that match this regular expression, or one of a list, are passed over.');

/** Labels of encodings that leave something to be found out file by file: which one, or the order of its bytes. */
const FOUND_OUT: readonly string[] = ['auto', 'utf-16', 'utf-32'];

export const isFoundOut = (label: string): boolean => FOUND_OUT.includes(label);

/** The expressions of `footer`. */
export const footersOf = (footer: string | readonly string[] | null): readonly string[] =>
  footer === null ? [] : typeof footer === 'string' ? [footer] : footer;
