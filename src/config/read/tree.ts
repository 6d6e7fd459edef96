/**
 * The config between YAML and schema: values that know where they stand, so that every mistake can name its line and
 * column.
 */

/** From 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type Path = readonly (string | number)[];

interface Standing {
  /** Where the value begins. */
  readonly place: Place;
  /** Where its key begins; for an item of a list, the item. */
  readonly keyPlace: Place;
  /** Where it was written: a value merged from `defaults` keeps that path. */
  readonly path: Path;
}

export interface ScalarNode extends Standing {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As it was written, so that `min: 1.10` keeps its zero and 38 digits stay 38 digits. */
  readonly text: string;
  /** True when a variable was filled in. */
  readonly filled: boolean;
  /** Without quotes: with `filled`, `port: ${PORT}` may be a number. */
  readonly bare: boolean;
  /** True when a variable in it could not be filled in: that is reported, and nothing more about this value. */
  readonly broken: boolean;
}

export interface MapNode extends Standing {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, ConfigNode>;
}

export interface ListNode extends Standing {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
}

export type ConfigNode = ScalarNode | MapNode | ListNode;

/** `feeds.orders.columns[2].type`; a key with a dot or bracket in it stands in quotes. */
export const keyText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = /^[^.[\]"\s]+$/.test(part) ? part : JSON.stringify(part);
    return text === '' ? name : `${text}.${name}`;
  }, '');

/** The value at a path below `node`; null when there is none. */
export function nodeAt(node: ConfigNode, path: Path): ConfigNode | null {
  let here: ConfigNode | undefined = node;
  for (const part of path) {
    if (here.kind === 'map') here = here.entries.get(String(part));
    else if (here.kind === 'list' && typeof part === 'number') here = here.items[part];
    else return null;
    if (here === undefined) return null;
  }
  return here;
}

/**
 * Place and written path of what stands, or should stand, at `path` below `node`; with `ofKey` the place of its key.
 */
export function locate(node: ConfigNode, path: Path, ofKey = false): { readonly place: Place; readonly path: Path } {
  for (let length = path.length; length >= 0; length--) {
    const found = nodeAt(node, path.slice(0, length));
    if (found === null) continue;
    // A value that is not there is shown at the key under which it should be.
    return {
      place: ofKey || length < path.length || found.kind === 'map' ? found.keyPlace : found.place,
      path: [...found.path, ...path.slice(length)],
    };
  }
  return { place: node.place, path };
}

/** Plain data for the schema. */
export function toPlain(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  return Object.fromEntries([...node.entries].map(([key, value]) => [key, toPlain(value)]));
}

/** The same for values that are texts however they are written: numbers and booleans become what was written. */
export function textsOf(node: ConfigNode): unknown {
  if (node.kind === 'list') return node.items.map(textsOf);
  return node.kind === 'scalar' && (typeof node.value === 'number' || typeof node.value === 'boolean')
    ? node.text
    : toPlain(node);
}

export const emptyMap = (at: Standing): MapNode => ({
  kind: 'map',
  entries: new Map(),
  place: at.place,
  keyPlace: at.keyPlace,
  path: at.path,
});
