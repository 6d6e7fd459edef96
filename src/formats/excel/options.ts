import * as z from 'zod';
import { footerKey } from '../text-options.js';

/** Keys under `format:` of an Excel feed, defaults filled in. */
export const excelOptions = z.strictObject({
  sheet: z
    .union([
      z
        .string()
        .min(1, 'sheet cannot be empty')
        .refine(
          (name) => !name.startsWith('/') || sheetPattern(name) !== null,
          'is no regular expression: write /Data \\d+/ (a name has no /)',
        ),
      z.int().min(1),
    ])
    .default(1)
    .describe(
      'Sheet by its name, its number from 1, or a regular expression between slashes (/^Data/) that one name meets.',
    ),
  header: z
    .boolean()
    .default(true)
    .describe('The first row that is not empty holds the column names. false: columns by position, A is 1.'),
  fill_merged: z
    .boolean()
    .default(false)
    .describe(
      'Cells that are merged all have the value of the first, in rows below the header. false: only the first.',
    ),
  footer: footerKey,
  skip_rows: z.int().min(0).default(0).describe('Rows of the sheet before the header that are passed over.'),
  nulls: z
    .array(z.string())
    .default([''])
    .describe(
      'Texts that mean NULL, case-sensitive; "#N/A" and other errors are such texts too. An empty cell always is NULL.',
    ),
});

export type ExcelOptions = z.output<typeof excelOptions>;

/** `/^Data/` or `/^data/i`; null = it is none. No sheet's name holds a slash. */
export function sheetPattern(text: string): RegExp | null {
  const found = /^\/(.+)\/(i?)$/.exec(text);
  if (found === null) return null;
  try {
    return new RegExp(found[1] ?? '', `u${found[2] ?? ''}`);
  } catch {
    return null;
  }
}
