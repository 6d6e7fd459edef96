import type { FormatType } from '../../core/format.js';
import { isFoundOut } from '../text-options.js';
import { contractProblems } from './columns.js';
import { fixedOptions, type FixedOptions } from './options.js';

export type { FixedOptions } from './options.js';

/** Lines whose columns stand at fixed characters: `start` and `width` of the contract. */
export const fixed: FormatType<FixedOptions> = {
  type: 'fixed',
  options: fixedOptions,
  access: 'stream',
  emptyIsValid: true,
  hasNullWords: true,
  contractProblems,
  text: ({ encoding, skip_lines: skipLines, comment, record_length: length }) => ({
    encoding,
    skipLines,
    comment,
    quote: null,
    escape: null,
    found: [...(isFoundOut(encoding) ? ['encoding'] : []), 'line_ends', 'bom'],
    inLines: () => length === null,
  }),
  open: async (input, options) => {
    const { openFixed } = await import('./open.js');
    return await openFixed(input, options);
  },
};
