import { BACKSLASH, QUOTE, SPACE } from './bytes.js';
import type { Step } from './paths.js';

/** Keys that no column takes, learned per object: enough for any honest record, and a bound where keys are data. */
const MOST_LEARNED = 1_000;
/** A learned key's longest name; a longer one is data and not a name. */
const LONGEST_LEARNED = 1_024;

/** One key of an object that is looked into. */
export class KeyEntry {
  readonly key: Buffer;
  /** null: nobody takes it. */
  node: KeyNode | null;
  /** As it stands between the quotes of any file: no quote, backslash or control character in it. */
  readonly plain: boolean;
  /** The key that stood behind this one the last time: tried first, because records of one file mostly look alike. */
  next: KeyEntry | null = null;
  /** Number of the object in which it was met last (KeyTable.object). */
  object = 0;
  /** Records in which it stood more than once, and the number of the last of them (a record may be scanned again). */
  repeated = 0;
  repeatedIn = 0;

  constructor(key: Buffer, node: KeyNode | null) {
    this.key = key;
    this.node = node;
    this.plain = key.every((byte) => byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH);
  }
}

/** The keys of one object: found by their bytes, without a string a key. */
export class KeyTable {
  /** Tried first when an object begins. */
  first: KeyEntry | null = null;
  /** Counts the objects. */
  object = 0;
  /** Keys that were not learned, because there are too many. */
  overflowed = false;
  readonly entries: KeyEntry[] = [];
  #slots = new Int32Array(64).fill(-1);
  #learned = 0;

  add(key: Buffer, node: KeyNode | null): KeyEntry {
    const entry = new KeyEntry(key, node);
    this.entries.push(entry);
    if (this.entries.length * 2 > this.#slots.length) this.#grow();
    else this.#place(this.entries.length - 1);
    return entry;
  }

  find(bytes: Buffer, start: number, end: number): KeyEntry | null {
    const mask = this.#slots.length - 1;
    for (let slot = hash(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]!;
      if (index < 0) return null;
      const entry = this.entries[index]!;
      if (equal(entry.key, bytes, start, end)) return entry;
    }
  }

  /** Remembers a key that nobody takes; null when there are too many already. */
  learn(bytes: Buffer, start: number, end: number): KeyEntry | null {
    if (this.#learned >= MOST_LEARNED || end - start > LONGEST_LEARNED) {
      this.overflowed = true;
      return null;
    }
    this.#learned += 1;
    return this.add(Buffer.from(bytes.subarray(start, end)), null);
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let index = 0; index < this.entries.length; index++) this.#place(index);
  }

  #place(index: number): void {
    const mask = this.#slots.length - 1;
    const { key } = this.entries[index]!;
    let slot = hash(key, 0, key.length) & mask;
    while (this.#slots[slot]! >= 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index;
  }
}

/** FNV-1a. The table holds at most MOST_LEARNED keys of the file's choosing, so that chosen collisions cost little. */
function hash(bytes: Buffer, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ bytes[at]!, 0x01000193);
  return value ^ (value >>> 15);
}

function equal(key: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

/** A place in the record that a column reads, or that stands on the way to one. */
export class KeyNode {
  /** Cell that gets the value: a string without its quotes; -1 = none. */
  value = -1;
  /** Cell that gets the JSON text, a string with its quotes (json and jsonb columns); -1 = none. */
  text = -1;
  /** Looked into when it is an object. */
  keys: KeyTable | null = null;
  /** Looked into when it is an array: ascending indices, and the node of each. */
  readonly indices: number[] = [];
  readonly items: KeyNode[] = [];
  /** Cells of this node and all below it; filled in by `closeTree`. */
  cells: readonly number[] = [];
  /** It was met in some record. */
  met = false;

  key(name: string): KeyNode {
    this.keys ??= new KeyTable();
    const key = Buffer.from(name);
    const entry = this.keys.find(key, 0, key.length) ?? this.keys.add(key, new KeyNode());
    entry.node ??= new KeyNode();
    return entry.node;
  }

  item(index: number): KeyNode {
    let at = this.indices.findIndex((one) => one >= index);
    if (at < 0) at = this.indices.length;
    if (this.indices[at] !== index) {
      this.indices.splice(at, 0, index);
      this.items.splice(at, 0, new KeyNode());
    }
    return this.items[at]!;
  }

  below(steps: readonly Step[]): KeyNode {
    return steps.reduce((node: KeyNode, step) => (typeof step === 'number' ? node.item(step) : node.key(step)), this);
  }
}

/**
 * Notes in every node which cells stand at or below it, so that a repeated key can take back what the earlier one gave.
 * Returns the greatest weight on one way down: with the number of columns that read each node, the most cells that one
 * byte is in.
 */
export function closeTree(node: KeyNode, weights: ReadonlyMap<KeyNode, number>): number {
  const children = [
    ...(node.keys?.entries.flatMap((entry) => (entry.node === null ? [] : [entry.node])) ?? []),
    ...node.items,
  ];
  const deepest = Math.max(0, ...children.map((child) => closeTree(child, weights)));
  node.cells = [...[node.value, node.text].filter((cell) => cell >= 0), ...children.flatMap((child) => child.cells)];
  return (weights.get(node) ?? 0) + deepest;
}
