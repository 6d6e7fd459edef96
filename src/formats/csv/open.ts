import type { FormatInput } from '../../core/format.js';
import { rowsFor, windowFor } from '../size-hint.js';
import { readColumns } from './columns.js';
import { compileDialect } from './dialect.js';
import { headerOf, type CsvOptions } from './options.js';
import { CsvReader } from './reader.js';
import { Records } from './records.js';
import { settleDelimiter } from './sniff-delimiter.js';

/** `window`: bytes scanned in one go; tests use a few, so that every record meets the window's edge. */
export async function openCsv(input: FormatInput, asked: CsvOptions, window?: number): Promise<CsvReader> {
  const { bytes, options, drift } = await settleDelimiter(input.bytes, asked, input.contract);
  const records = new Records(bytes, compileDialect(options), window ?? windowFor(input.sizeHint));
  try {
    const mark = await records.passMark();
    for (let line = 0; line < options.skip_lines; line++) {
      if (!(await records.passLine())) break;
    }
    const columns = await readColumns(records, headerOf(options), input.contract);
    for (let line = 0; line < options.skip_after_header; line++) {
      if (!(await records.passLine())) break;
    }
    // Nothing can be told of a file without content.
    if (!columns.empty) columns.drift.push(...drift);
    return new CsvReader(
      records,
      options,
      columns,
      mark,
      input.batchRows ?? rowsFor(input.sizeHint, columns.layout.fileColumns.length),
    );
  } catch (error) {
    await records.close();
    throw error;
  }
}
