import { TallymanError } from '../../core/errors.js';
import type { FormatInput, FormatType } from '../../core/format.js';
import { isFoundOut } from '../text-options.js';
import { contractProblems, slicesOf } from './columns.js';
import { fixedOptions, type FixedOptions } from './options.js';
import { FixedReader } from './reader.js';
import { LineRecords } from './records.js';
import { LineScanner } from './scanner.js';

export type { FixedOptions } from './options.js';

/** Lines whose columns stand at fixed characters: `start` and `width` of the contract. */
export const fixed: FormatType<FixedOptions> = {
  type: 'fixed',
  options: fixedOptions,
  access: 'stream',
  emptyIsValid: true,
  hasNullWords: true,
  contractProblems,
  text: ({ encoding, skip_lines: skipLines, comment }) => ({
    encoding,
    skipLines,
    comment,
    quote: null,
    escape: null,
    found: [...(isFoundOut(encoding) ? ['encoding'] : []), 'line_ends', 'bom'],
  }),
  open: async (input, options) => await openFixed(input, options),
};

/** `window`: bytes scanned in one go; tests use a few, so that every record meets the window's edge. */
export async function openFixed(input: FormatInput, options: FixedOptions, window?: number): Promise<FixedReader> {
  const slices = slicesOf(input.contract);
  const scanner = new LineScanner(options, slices, input.onUnknownColumn === 'ignore');
  const records = new LineRecords(input.bytes, scanner, window);
  try {
    const mark = await records.passMark();
    for (let line = 0; line < options.skip_lines; line++) {
      if (!(await records.passLine())) break;
    }
    let more = await records.toRecord();
    const nothing = !more && !records.passedText && !scanner.sawComment;
    if (options.header && !nothing) {
      if (!more)
        throw new TallymanError('HEADER_MISSING', `The file ends on line ${scanner.line} without a header line.`);
      await records.passLine();
      more = await records.toRecord();
    }
    return new FixedReader(records, options, slices, mark, nothing, input.batchRows);
  } catch (error) {
    await records.close();
    throw error;
  }
}
