import type { QuarantineRow } from '../../core/quarantine.js';

/** Characters handed on in one go: a write a row would be 10,000,000 system calls. */
const BLOCK = 64 * 1024;

/** The rows as text, in blocks. A page is asked for only when the one before has been taken. */
export async function* inBlocks(
  pages: AsyncIterable<readonly QuarantineRow[]>,
  line: (row: QuarantineRow) => string,
): AsyncGenerator<string> {
  for await (const page of pages) {
    let block = '';
    for (const row of page) {
      block += line(row);
      if (block.length < BLOCK) continue;
      yield block;
      block = '';
    }
    if (block !== '') yield block;
  }
}
