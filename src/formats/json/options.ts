import * as z from 'zod';
import { encoding, maxRecord } from '../text-options.js';
import { parsePath } from './paths.js';

/**
 * Keys under `format:` of a JSON feed, defaults filled in. Parsing its own result returns the same, because options are
 * parsed more than once.
 */
export const jsonOptions = z
  .strictObject({
    shape: z
      .enum(['auto', 'lines', 'array'])
      .default('auto')
      .describe(
        'lines: one object a line. array: one array of objects. auto: array when the first character is [, lines when line 1 is a whole object, else objects one after another.',
      ),
    root: z
      .string()
      .min(1, 'root cannot be empty')
      .nullable()
      .default(null)
      .describe(
        'Path of the array of records within one document: data.items. $values (or data.$values): the values of an ' +
          'object are the records, its keys are not read. null: the document itself.',
      ),
    strict: z
      .boolean()
      .default(true)
      .describe(
        'false: takes NaN, Infinity and -Infinity (as texts, which double precision reads) ' +
          'and control characters within strings, and says so under drift.',
      ),
    encoding: encoding.describe('Encoding of the file: utf-8, or any WHATWG or iconv label, or auto.'),
    max_record: maxRecord.describe('Longest record; a longer one is refused. 16MiB by default.'),
  })
  .superRefine((options, context) => {
    if (options.root === null) return;
    if (options.shape === 'lines')
      context.addIssue({
        code: 'custom',
        path: ['root'],
        message: 'names an array within one document, so shape cannot be lines',
      });
    if (parsePath(options.root) === null)
      context.addIssue({ code: 'custom', path: ['root'], message: 'is no path such as data.items or results[0].rows' });
  });

export type JsonOptions = z.output<typeof jsonOptions>;
