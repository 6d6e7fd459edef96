import { ESCAPED, MISSING, NULL_CELL, QUOTED } from '../../core/batch.js';
import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './bytes.js';
import type { JsonBatch } from './json-batch.js';
import type { KeyEntry, KeyNode, KeyTable } from './key-tree.js';
import { hasHalfPair, unescape } from './unescape.js';
import { MAX_DEPTH, ValueScanner } from './values.js';

/** Where a record's cells come from. */
export interface RecordPlan {
  /** The record itself: what is looked into, key by key. */
  readonly tree: KeyNode;
  /**
   * Cells that take the first of several others that is there (`from` with aliases, or a path that may also be a key).
   */
  readonly choices: readonly Choice[];
  /** Cell that gets the whole record; -1 = none. */
  readonly whole: number;
  /** The column of each cell, for messages. */
  readonly columns: readonly string[];
}

export interface Choice {
  readonly cell: number;
  /** In order of preference. */
  readonly candidates: readonly number[];
}

/**
 * One object to one row of spans, in one pass that also proves it strict JSON. The key that followed the last time is
 * tried first, so that files whose records look alike compare each key once and hash none.
 */
export class RecordScanner extends ValueScanner {
  plan: RecordPlan;
  /** Column of a cell with half a surrogate pair in the last record; null = none. */
  halfPairIn: string | null = null;
  /** Top-level keys that nobody takes are told in `strayKey`: for policies that must not lose one. */
  tellStray = false;
  /** The first such key of the last record; null = none. */
  strayKey: string | null = null;
  #scratch = Buffer.allocUnsafe(256);
  #sawHalfPair = false;
  #base = 0;
  /** Number of the record at hand in the file. */
  #number = 0;
  #batch: JsonBatch;

  constructor(oneLine: boolean, plan: RecordPlan, batch: JsonBatch) {
    super(oneLine);
    this.plan = plan;
    this.#batch = batch;
  }

  /**
   * The object that begins at `start` becomes the batch's next row, which is not yet appended. Returns the index behind
   * it, or -1.
   */
  record(start: number, batch: JsonBatch): number {
    const { plan } = this;
    this.#batch = batch;
    this.#base = batch.rows * batch.width;
    this.depth = 0;
    this.halfPairIn = null;
    this.strayKey = null;
    this.#number = batch.firstRow + batch.rows;
    batch.begin(start);
    const { keys } = plan.tree;
    const end = keys === null ? this.skip(start) : this.#object(keys, start + 1);
    if (end < 0) return end;
    if (plan.whole >= 0) this.#put(plan.whole, start, end, 0);
    for (let i = 0; i < plan.choices.length; i++) this.#choose(plan.choices[i]!);
    if (this.#sawHalfPair) this.halfPairIn = this.#findHalfPair();
    this.#sawHalfPair = false;
    return end;
  }

  /** From behind the opening brace to behind the closing one. */
  #object(table: KeyTable, start: number): number {
    const { bytes } = this;
    if (this.depth >= MAX_DEPTH) return this.fail(start - 1, 'deep');
    this.depth += 1;
    table.object = (table.object + 1) | 0;
    let guess = table.first;
    let before: KeyEntry | null = null;
    let at = this.space(start);
    if (bytes[at] === CLOSE_OBJECT) {
      this.depth -= 1;
      return at + 1;
    }
    for (;;) {
      if (bytes[at] !== QUOTE) return this.fail(at, 'key');
      at += 1;
      const keyStart = at;
      let entry: KeyEntry | null = null;
      if (guess !== null) {
        const { key } = guess;
        let i = 0;
        while (i < key.length && bytes[at + i] === key[i]) i += 1;
        if (i === key.length && bytes[at + i] === QUOTE) {
          entry = guess;
          at += i + 1;
        }
      }
      if (entry === null) {
        at = this.string(at);
        if (at < 0) return at;
        entry = this.#find(table, keyStart, at - 1);
        if (entry?.plain === true) {
          if (before === null) table.first = entry;
          else before.next = entry;
        }
      }
      const keyEnd = at - 1;
      before = entry;
      guess = entry === null ? null : entry.next;
      at = this.colon(at);
      if (at < 0) return at;
      if (entry !== null) {
        if (entry.object === table.object) this.#again(entry);
        entry.object = table.object;
      }
      const node = entry === null ? null : entry.node;
      if (node === null && this.tellStray && this.depth === 1) this.strayKey ??= textOf(bytes, keyStart, keyEnd);
      at = node === null ? this.skip(at) : this.#value(node, this.space(at));
      if (at < 0) return at;
      at = this.space(at);
      const byte = bytes[at];
      if (byte === COMMA) {
        at = this.space(at + 1);
      } else if (byte === CLOSE_OBJECT) {
        this.depth -= 1;
        return at + 1;
      } else {
        return this.fail(at, 'next');
      }
    }
  }

  /** A key that was not the one expected. */
  #find(table: KeyTable, start: number, end: number): KeyEntry | null {
    let { bytes } = this;
    let [from, to] = [start, end];
    if (this.escaped) {
      if (this.#scratch.length < end - start) this.#scratch = Buffer.allocUnsafe(2 * (end - start));
      to = unescape(bytes, start, end, this.#scratch, 0);
      from = 0;
      bytes = this.#scratch;
    }
    const known = table.find(bytes, from, to);
    if (known !== null) return known;
    return table.learn(bytes, from, to);
  }

  /** The key stood in this object already: the last one counts, as in JSON.parse. */
  #again(entry: KeyEntry): void {
    if (entry.repeatedIn !== this.#number) entry.repeated += 1;
    entry.repeatedIn = this.#number;
    if (entry.node === null) return;
    for (const cell of entry.node.cells) this.#batch.flags[this.#base + cell] = MISSING;
  }

  /** A value that a column reads, or that is on the way to one. */
  #value(node: KeyNode, start: number): number {
    const { bytes } = this;
    const first = bytes[start]!;
    node.met = true;
    if (first === QUOTE) {
      const end = this.string(start + 1);
      if (end < 0) return end;
      if (node.value >= 0) {
        this.#put(node.value, start + 1, end - 1, this.escaped ? QUOTED | ESCAPED : QUOTED);
        if (this.escaped && hasHalfPair(bytes, start + 1, end - 1)) this.#sawHalfPair = true;
      }
      // An empty string is NULL in all but text types.
      if (node.text >= 0) this.#put(node.text, start, end, end === start + 2 ? NULL_CELL : 0);
      return end;
    }
    const end =
      first === OPEN_OBJECT && node.keys !== null
        ? this.#object(node.keys, start + 1)
        : first === OPEN_ARRAY && node.items.length > 0
          ? this.#array(node, start + 1)
          : first === OPEN_OBJECT || first === OPEN_ARRAY
            ? this.skip(start)
            : this.plain(start);
    if (end < 0) return end;
    // The only value that begins with n.
    const flag = first === 0x6e ? NULL_CELL : 0;
    if (node.value >= 0) this.#put(node.value, start, end, flag);
    if (node.text >= 0) this.#put(node.text, start, end, flag);
    return end;
  }

  /** From behind the opening bracket to behind the closing one. */
  #array(node: KeyNode, start: number): number {
    const { bytes } = this;
    if (this.depth >= MAX_DEPTH) return this.fail(start - 1, 'deep');
    this.depth += 1;
    let at = this.space(start);
    let next = 0;
    for (let index = 0; bytes[at] !== CLOSE_ARRAY || index > 0; index++) {
      if (node.indices[next] === index) at = this.#value(node.items[next++]!, at);
      else at = this.skip(at);
      if (at < 0) return at;
      at = this.space(at);
      if (bytes[at] === CLOSE_ARRAY) break;
      if (bytes[at] !== COMMA) return this.fail(at, 'next');
      at = this.space(at + 1);
    }
    this.depth -= 1;
    return at + 1;
  }

  #put(cell: number, start: number, end: number, flag: number): void {
    const at = this.#base + cell;
    this.#batch.starts[at] = start;
    this.#batch.ends[at] = end;
    this.#batch.flags[at] = flag;
  }

  /** The value that was met may have been replaced by a later one, or not be the one chosen. */
  #findHalfPair(): string | null {
    const { bytes } = this;
    const { starts, ends, flags } = this.#batch;
    const cell = this.plan.columns.findIndex(
      (_, i) =>
        (flags[this.#base + i]! & ESCAPED) !== 0 && hasHalfPair(bytes, starts[this.#base + i]!, ends[this.#base + i]!),
    );
    return this.plan.columns[cell] ?? null;
  }

  #choose({ cell, candidates }: Choice): void {
    const { starts, ends, flags } = this.#batch;
    for (const candidate of candidates) {
      const at = this.#base + candidate;
      if ((flags[at]! & MISSING) !== 0) continue;
      this.#put(cell, starts[at]!, ends[at]!, flags[at]!);
      return;
    }
  }
}

/** Text of a string's inside, for messages and keys off the hot path. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  if (!bytes.subarray(start, end).includes(BACKSLASH)) return bytes.toString('utf8', start, end);
  const out = Buffer.allocUnsafe(end - start);
  return out.toString('utf8', 0, unescape(bytes, start, end, out, 0));
}
