import { KeyTable } from './key-table.js';
import type { Step } from './paths.js';

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
 * Gives the greatest weight on one way down: with the number of columns that read each node, the most cells that one
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
