import type { FormatType } from '../../core/format.js';
import { excelOptions, type ExcelOptions } from './options.js';

export type { ExcelOptions } from './options.js';

/** One sheet of an Excel workbook (.xlsx, ECMA-376), row by row in bounded memory. */
export const excel: FormatType<ExcelOptions> = {
  type: 'excel',
  options: excelOptions,
  access: 'file',
  emptyIsValid: false,
  hasNullWords: true,
  isSheet: true,
  sheets: async (path) => {
    const { sheetsOf } = await import('./open.js');
    return await sheetsOf(path);
  },
  text: () => null,
  open: async (input, options) => {
    const { openExcel } = await import('./open.js');
    return await openExcel(input, options);
  },
};
