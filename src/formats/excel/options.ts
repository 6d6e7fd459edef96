import * as z from 'zod';

/** Keys under `format:` of an Excel feed, defaults filled in. */
export const excelOptions = z.strictObject({
  sheet: z
    .union([z.string().min(1, 'sheet cannot be empty'), z.int().min(1)])
    .default(1)
    .describe('Sheet by its name, or by its number from 1.'),
  header: z
    .boolean()
    .default(true)
    .describe('The first row that is not empty holds the column names. false: columns by position, A is 1.'),
  skip_rows: z.int().min(0).default(0).describe('Rows of the sheet before the header that are passed over.'),
  nulls: z
    .array(z.string())
    .default([''])
    .describe(
      'Texts that mean NULL, case-sensitive; "#N/A" and other errors are such texts too. An empty cell always is NULL.',
    ),
});

export type ExcelOptions = z.output<typeof excelOptions>;
