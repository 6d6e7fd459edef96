import { TallymanError } from '../../core/errors.js';
import { LF, OPEN_ARRAY, OPEN_OBJECT } from './bytes.js';
import type { Cursor } from './cursor.js';
import type { Shape } from './records.js';
import { ValueScanner } from './values.js';

/** Passes over space at the beginning of the stream, counting lines. False when nothing else is there. */
export async function passSpace(cursor: Cursor, scanner: ValueScanner): Promise<boolean> {
  for (;;) {
    cursor.attach(scanner);
    cursor.pos = scanner.space(cursor.pos);
    if (cursor.pos < cursor.window.end) return true;
    if (cursor.window.last) return false;
    await cursor.more();
  }
}

/**
 * The file's shape by its first record, at which the cursor stands (docs/spec/rows-and-values.md#json). Throws
 * FORMAT_MISMATCH when `array` was asked for and is not there.
 */
export async function findShape(cursor: Cursor, wanted: 'auto' | 'lines' | 'array'): Promise<Shape> {
  if (wanted === 'lines') return 'lines';
  const first = cursor.window.bytes[cursor.pos];
  if (first === OPEN_ARRAY) return 'array';
  if (wanted === 'array')
    throw new TallymanError('FORMAT_MISMATCH', 'The file does not begin with [.', {
      fix: 'Set format.shape: auto, or format.root when the array stands inside an object.',
    });
  return first === OPEN_OBJECT && (await isWholeOnItsLine(cursor)) ? 'lines' : 'objects';
}

/**
 * Does the object at the cursor end on its line, with nothing behind it? A line past max_record counts as one: nobody
 * can say.
 */
async function isWholeOnItsLine(cursor: Cursor): Promise<boolean> {
  const scanner = new ValueScanner(true);
  for (;;) {
    cursor.attach(scanner);
    const { window } = cursor;
    const end = scanner.skip(cursor.pos);
    const behind = end < 0 ? scanner.failAt : scanner.space(end);
    // Too deep is the record's own fault.
    if (end < 0 && behind < window.end) return scanner.reason === 'deep';
    if (end >= 0 && behind < window.end) return window.bytes[behind] === LF;
    if (window.last) return end >= 0;
    if (cursor.tooLong) return true;
    await cursor.more();
  }
}
