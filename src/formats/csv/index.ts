import type { FormatType } from '../../core/format.js';
import { isFoundOut } from '../text-options.js';
import { csvOptions, unusedKeys, type CsvOptions } from './options.js';

export type { CsvOptions } from './options.js';

/**
 * CSV and everything like it: cells between delimiters, records on lines, quotes (docs/spec/rows-and-values.md#quotes).
 */
export const csv: FormatType<CsvOptions> = {
  type: 'csv',
  options: csvOptions,
  access: 'stream',
  emptyIsValid: true,
  hasNullWords: true,
  text: ({ encoding, skip_lines: skipLines, comment, quote, escape = null, delimiter }) => ({
    encoding,
    skipLines,
    comment,
    quote,
    escape,
    found: [
      ...(delimiter === 'auto' ? ['delimiter'] : []),
      ...(isFoundOut(encoding) ? ['encoding'] : []),
      'line_ends',
      'bom',
    ],
    inLines: () => true,
  }),
  unused: unusedKeys,
  open: async (input, options) => {
    const { openCsv } = await import('./open.js');
    return await openCsv(input, options);
  },
};
