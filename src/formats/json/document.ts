import { TallymanError } from '../../core/errors.js';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './bytes.js';
import type { Cursor } from './cursor.js';
import { parsePath, type Step } from './paths.js';
import { textOf } from './record-scanner.js';
import type { ValueScanner } from './values.js';

/** An object or array that the walk is in. */
interface Frame {
  readonly close: number;
  /** Steps of the path that led here. */
  readonly level: number;
  /** Members met. */
  count: number;
}

/**
 * The document around the array of records (`root`). What stands beside the array is checked value by value: each must
 * fit into max_record, the array may be of any size. A root that stands there twice rejects the file: the later one
 * would count (JSON.parse), and the rows of the earlier one are already read.
 */
export class Document {
  readonly #cursor: Cursor;
  readonly #scanner: ValueScanner;
  readonly #root: string;
  readonly #steps: readonly Step[];
  readonly #frames: Frame[] = [];
  #found: 'key' | 'path' | null = null;

  constructor(cursor: Cursor, scanner: ValueScanner, root: string) {
    this.#cursor = cursor;
    this.#scanner = scanner;
    this.#root = root;
    this.#steps = parsePath(root) ?? [root];
  }

  /** Up to the first byte inside the array. Throws FORMAT_MISMATCH when it is not there. */
  async enter(): Promise<void> {
    const byte = await this.#peek();
    if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY)
      throw this.#mismatch('The document is neither an object nor an array');
    this.#push(byte, 0);
    if (!(await this.#walk())) throw this.#mismatch(`There is no ${this.#root} in the document`);
  }

  /** From behind the array to behind the document. */
  async leave(): Promise<void> {
    await this.#walk();
  }

  /** True when the array was reached; false at the end of the document. */
  async #walk(): Promise<boolean> {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      let byte = await this.#peek();
      if (byte === frame.close) {
        this.#frames.pop();
        this.#cursor.pos += 1;
        continue;
      }
      if (frame.count > 0) {
        if (byte !== COMMA) throw this.#corrupt('next');
        this.#cursor.pos += 1;
        await this.#peek();
      }
      const step = frame.close === CLOSE_OBJECT ? await this.#key() : frame.count;
      frame.count += 1;
      const exact = this.#frames.length === 1 && step === this.#root;
      const match = step === this.#steps[frame.level];
      byte = await this.#peek();
      if (this.#found !== null && (exact || (match && this.#found === 'path')))
        throw this.#corrupt({ text: `${this.#root} stands in the document twice` });
      if (exact || (match && frame.level + 1 === this.#steps.length)) {
        if (byte !== OPEN_ARRAY) throw this.#mismatch(`What stands under ${this.#root} is not an array`);
        this.#found = exact ? 'key' : 'path';
        this.#cursor.pos += 1;
        return true;
      }
      if (match && (byte === OPEN_OBJECT || byte === OPEN_ARRAY)) this.#push(byte, frame.level + 1);
      else await this.#take((at) => this.#scanner.skip(at));
    }
    return false;
  }

  #push(open: number, level: number): void {
    this.#frames.push({ close: open === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY, level, count: 0 });
    this.#cursor.pos += 1;
  }

  async #key(): Promise<string> {
    if ((await this.#peek()) !== QUOTE) throw this.#corrupt('key');
    const key = await this.#take(
      (at) => this.#scanner.string(at + 1),
      (bytes, start, end) => textOf(bytes, start + 1, end - 1),
    );
    await this.#take((at) => this.#scanner.colon(at));
    return key;
  }

  /** The next byte that is no space, where `pos` then stands; -1 at the end of the stream. */
  async #peek(): Promise<number> {
    const cursor = this.#cursor;
    for (;;) {
      cursor.attach(this.#scanner);
      cursor.pos = this.#scanner.space(cursor.pos);
      if (cursor.pos < cursor.window.end) return cursor.window.bytes[cursor.pos]!;
      if (cursor.window.last) return -1;
      await cursor.more();
    }
  }

  /** Reads one token or value that begins at `pos`, with as many bytes as it needs, and stands behind it. */
  async #take(
    read: (at: number) => number,
    see: (bytes: Buffer, start: number, end: number) => string = () => '',
  ): Promise<string> {
    const cursor = this.#cursor;
    const scanner = this.#scanner;
    for (;;) {
      const { line } = scanner;
      cursor.attach(scanner);
      scanner.depth = this.#frames.length;
      const behind = read(cursor.pos);
      const { bytes, end, last } = cursor.window;
      if (behind >= 0 && (behind < end || last)) {
        const seen = see(bytes, cursor.pos, behind);
        cursor.pos = behind;
        return seen;
      }
      scanner.line = line;
      if (behind < 0 && (scanner.failAt < end || last))
        throw cursor.corrupt(scanner.failAt, scanner.reason, line, cursor.pos);
      if (cursor.tooLong) throw this.#corrupt({ text: `a value beside ${this.#root} is ${cursor.longest}` });
      await cursor.more();
    }
  }

  #corrupt(reason: Parameters<Cursor['corrupt']>[1]): TallymanError {
    return this.#cursor.corrupt(this.#cursor.pos, reason, this.#scanner.line, this.#cursor.pos);
  }

  #mismatch(text: string): TallymanError {
    return new TallymanError('FORMAT_MISMATCH', `${text}.`, {
      fix: 'Correct format.root: the path of the array that holds the records.',
    });
  }
}
