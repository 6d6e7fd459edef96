import type { AST } from '@eslint-community/regexpp';

/** Which characters a part of an expression takes: code units, or code points under the u flag. */
export interface CharSet {
  /** From, to, from, to ...: in order, not touching. */
  readonly ranges: Int32Array;
  /** 1 for each of the first 128 that is in it: the way through nearly every cell. */
  readonly ascii: Uint8Array;
}

/** Flags that change what a character means. */
export interface CharFlags {
  readonly unicode: boolean;
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

type SetNode = AST.Character | AST.CharacterSet | AST.CharacterClass;

const LAST_UNIT = 0xffff;
const LAST_POINT = 0x10ffff;
/** Beyond the 16-bit units only these blocks have letters of two cases. */
const CASED_BEYOND: readonly (readonly [number, number])[] = [
  [0x10400, 0x105ff],
  [0x10c80, 0x10d8f],
  [0x118a0, 0x118df],
  [0x16e40, 0x16e9f],
  [0x1e900, 0x1e943],
];

/** Sets that were worked out before: an expression has the same class in many places. */
const KNOWN = new Map<string, CharSet>();

export function charSet(node: SetNode, flags: CharFlags): CharSet {
  const name = `${flags.unicode ? 'u' : ''}${flags.ignoreCase ? 'i' : ''}${flags.dotAll ? 's' : ''}:${node.raw}`;
  const known = KNOWN.get(name);
  if (known !== undefined) return known;
  const set = toSet(rangesOf(node, flags));
  if (KNOWN.size >= 10_000) KNOWN.clear();
  KNOWN.set(name, set);
  return set;
}

export function has(set: CharSet, code: number): boolean {
  if (code < 128) return set.ascii[code] === 1;
  const { ranges } = set;
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < ranges[2 * middle]!) high = middle - 1;
    else if (code > ranges[2 * middle + 1]!) low = middle + 1;
    else return true;
  }
  return false;
}

/** True when some character is in both. */
export function overlap(a: CharSet, b: CharSet): boolean {
  if (a === b) return a.ranges.length > 0;
  let i = 0;
  let j = 0;
  while (i < a.ranges.length && j < b.ranges.length) {
    if (a.ranges[i + 1]! < b.ranges[j]!) i += 2;
    else if (b.ranges[j + 1]! < a.ranges[i]!) j += 2;
    else return true;
  }
  return false;
}

type Ranges = readonly (readonly [number, number])[];

function rangesOf(node: SetNode, flags: CharFlags): Ranges {
  const plain = plainRanges(node, flags);
  if (!flags.ignoreCase) return plain ?? asked(node, flags, 0, LAST_POINT);
  // Letters of ASCII have one other case, and under u the long s and the Kelvin sign besides.
  if (plain?.every(([, to]) => to < 128) === true) return plain.flatMap((range) => bothCases(range, flags.unicode));
  const units = asked(node, flags, 0, LAST_UNIT);
  if (!flags.unicode) return units;
  if (plain === null) return [...units, ...asked(node, flags, LAST_UNIT + 1, LAST_POINT)];
  return [...units, ...plain.map(beyond), ...CASED_BEYOND.flatMap(([from, to]) => asked(node, flags, from, to))];
}

const beyond = ([from, to]: readonly [number, number]): readonly [number, number] => [
  Math.max(from, LAST_UNIT + 1),
  to,
];

/** null = only Node knows: properties of Unicode. */
function plainRanges(node: SetNode, flags: CharFlags): Ranges | null {
  const last = flags.unicode ? LAST_POINT : LAST_UNIT;
  if (node.type === 'Character') return [[node.value, node.value]];
  if (node.type === 'CharacterSet') {
    if (node.kind === 'property') return null;
    if (node.kind === 'any') return flags.dotAll ? [[0, last]] : complement(LINE_ENDS, last);
    const ranges = node.kind === 'digit' ? DIGITS : node.kind === 'word' ? wordRanges(flags) : SPACES;
    return node.negate ? complement(ranges, last) : ranges;
  }
  const all: (readonly [number, number])[] = [];
  for (const element of node.elements) {
    if (element.type === 'CharacterClassRange') all.push([element.min.value, element.max.value]);
    else if (element.type === 'Character' || element.type === 'CharacterSet') {
      const ranges = plainRanges(element, flags);
      if (ranges === null) return null;
      all.push(...ranges);
    } else return null;
  }
  return node.negate ? complement(all, last) : all;
}

/** What Node itself takes of the characters from `from` to `to`: it is given all of them in their order. */
function asked(node: SetNode, flags: CharFlags, from: number, to: number): Ranges {
  const letters = `g${flags.unicode ? 'u' : ''}${flags.ignoreCase ? 'i' : ''}${flags.dotAll ? 's' : ''}`;
  const runs = new RegExp(`(?:${node.raw})+`, letters);
  const last = flags.unicode ? to : Math.min(to, LAST_UNIT);
  const ranges: [number, number][] = [];
  // Halves of characters would find each other in a text: they are shown one by one.
  const single = flags.unicode ? HALVES : NO_HALVES;
  for (let low = from; low <= last;) {
    const alone = low >= single[0] && low <= single[1];
    const high = alone ? low : Math.min(last, low + CHUNK - 1, low < single[0] ? single[0] - 1 : last);
    if (isEmptyPlace(low)) {
      // One stands for all: they have no properties that differ.
      const end = Math.min(last, low | 0xffff) - 2;
      if (String.fromCodePoint(low).match(runs) !== null) ranges.push([low, end]);
      low = end + 1;
      continue;
    }
    const width = low > LAST_UNIT ? 2 : 1;
    for (const { index, 0: run } of inOrder(low, high).matchAll(runs))
      ranges.push([low + index / width, low + (index + run.length) / width - 1]);
    low = high + 1;
  }
  return ranges;
}

/** Where Unicode has nothing: planes 4 to 13, and the private ones; the last two of each plane are apart. */
const isEmptyPlace = (code: number): boolean =>
  code >= 0x40000 && (code & 0xffff) === 0 && (code < 0xe0000 || code >= 0xf0000);

/** The characters from `low` to `high`, as UTF-16: a million of them one by one would take 0.2 s. */
function inOrder(low: number, high: number): string {
  const units = new Uint16Array((high - low + 1) * (low > LAST_UNIT ? 2 : 1));
  for (let code = low, at = 0; code <= high; code++) {
    if (code > LAST_UNIT) units[at++] = 0xd800 + ((code - 0x10000) >> 10);
    units[at++] = code > LAST_UNIT ? 0xdc00 + (code & 0x3ff) : code;
  }
  return Buffer.from(units.buffer).toString('utf16le');
}

/** Characters that are shown at once; a text of them begins and ends within one width. */
const CHUNK = 0x1000;
const HALVES = [0xd800, 0xdfff] as const;
const NO_HALVES = [0, -1] as const;

const DIGITS: Ranges = [[48, 57]];
const WORD: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const LINE_ENDS: Ranges = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
];
const SPACES: Ranges = [
  [9, 13],
  [32, 32],
  [160, 160],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

const LONG_S = 0x17f;
const KELVIN = 0x212a;

/** `\w`; without case under u it takes two letters more. */
function wordRanges({ unicode, ignoreCase }: CharFlags): Ranges {
  return unicode && ignoreCase ? [...WORD, [LONG_S, LONG_S], [KELVIN, KELVIN]] : WORD;
}

/** What `\b` takes for a word. */
export const wordSet = (flags: CharFlags): CharSet => toSet(wordRanges(flags));

function bothCases([from, to]: readonly [number, number], unicode: boolean): Ranges {
  const shifted = (low: number, by: number): Ranges => {
    const [first, last] = [Math.max(from, low), Math.min(to, low + 25)];
    return first > last ? [] : [[first + by, last + by]];
  };
  const lower = [...shifted(65, 32), ...shifted(97, 0)];
  const takes = (code: number): boolean => lower.some(([first, last]) => first <= code && code <= last);
  return [
    [from, to],
    ...shifted(65, 32),
    ...shifted(97, -32),
    ...(unicode && takes(0x73) ? [[LONG_S, LONG_S] as const] : []),
    ...(unicode && takes(0x6b) ? [[KELVIN, KELVIN] as const] : []),
  ];
}

function complement(ranges: Ranges, last: number): Ranges {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of merged(ranges)) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= last) gaps.push([next, last]);
  return gaps;
}

function merged(ranges: Ranges): Ranges {
  const all: [number, number][] = [];
  for (const [from, to] of ranges.filter(([low, high]) => low <= high).sort((a, b) => a[0] - b[0])) {
    const before = all.at(-1);
    if (before !== undefined && from <= before[1] + 1) before[1] = Math.max(before[1], to);
    else all.push([from, to]);
  }
  return all;
}

function toSet(ranges: Ranges): CharSet {
  const all = merged(ranges);
  const ascii = new Uint8Array(128);
  for (const [from, to] of all) if (from < 128) ascii.fill(1, from, Math.min(to, 127) + 1);
  return { ranges: Int32Array.from(all.flat()), ascii };
}
