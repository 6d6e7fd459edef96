import { TallymanError } from '../../core/errors.js';
import type { FormatInput } from '../../core/format.js';
import { slicesOf } from './columns.js';
import type { FixedOptions } from './options.js';
import { FixedReader } from './reader.js';
import { LineRecords } from './records.js';
import { LineScanner } from './scanner.js';

/** `window`: bytes scanned in one go; tests use a few, so that every record meets the window's edge. */
export async function openFixed(input: FormatInput, options: FixedOptions, window?: number): Promise<FixedReader> {
  const slices = slicesOf(input.contract);
  const scanner = new LineScanner(options, slices, input.onUnknownColumn === 'ignore');
  const records = new LineRecords(input.bytes, scanner, window);
  try {
    const mark = await records.passMark();
    let passed = 0;
    while (passed < options.skip_lines && (await records.passLine())) passed++;
    let more = await records.toRecord();
    const nothing = !more && !records.passedText && scanner.comments === 0;
    if (options.header && !nothing) {
      if (!more)
        throw new TallymanError('HEADER_MISSING', `The file ends on line ${scanner.line} without a header line.`);
      await records.passLine();
      more = await records.toRecord();
    }
    return new FixedReader(records, options, slices, mark, nothing, passed, input.batchRows);
  } catch (error) {
    await records.close();
    throw error;
  }
}
