/**
 * Globs as lists of character sets, each once or any number of times; glob-meet.ts runs them side by side. Exact for
 * `*`, `?`, `**`, `[..]`, `{..}` and escapes. Extended globs (`+(..)`), POSIX classes and what picomatch takes its own
 * way are widened and marked as inexact.
 */
export type Range = readonly [from: number, to: number];

export interface Token {
  readonly ranges: readonly Range[];
  readonly many: boolean;
}

export interface Glob {
  readonly alternatives: readonly (readonly Token[])[];
  readonly exact: boolean;
}

/** UTF-16 units, as picomatch's expressions see them: `?` is one of the two units of an emoji. */
export const LAST = 0xffff;
const SLASH = 47;
const ANY: readonly Range[] = [[0, LAST]];
const NOT_SLASH: readonly Range[] = [
  [0, SLASH - 1],
  [SLASH + 1, LAST],
];
const ANYTHING: Token = { ranges: ANY, many: true };

/** Spellings of one pattern beyond which it is taken for "anything": `{a,b}` ten times over would be 1,024. */
const MAX_ALTERNATIVES = 500;

const once = (unit: number): Token => ({ ranges: [[unit, unit]], many: false });

export const literal = (text: string): Glob => ({
  alternatives: [Array.from({ length: text.length }, (_, i) => once(text.charCodeAt(i)))],
  exact: true,
});

/** Anything in one folder: no "/" in it. */
export const FLAT: Glob = { alternatives: [[{ ranges: NOT_SLASH, many: true }]], exact: true };
/** Nothing, or folders: `a/`, `a/b/`. */
export const FOLDERS: Glob = { alternatives: [[], [ANYTHING, once(SLASH)]], exact: true };

export const either = (globs: readonly Glob[]): Glob => ({
  alternatives: globs.flatMap((g) => g.alternatives),
  exact: globs.every((g) => g.exact),
});

export const inOrder = (globs: readonly Glob[]): Glob => ({
  alternatives: globs.reduce<readonly (readonly Token[])[]>(
    (all, glob) => all.flatMap((a) => glob.alternatives.map((b) => [...a, ...b])),
    [[]],
  ),
  exact: globs.every((g) => g.exact),
});

/** A picomatch pattern, date letters already replaced. */
export function parseGlob(pattern: string, ignoreCase: boolean): Glob {
  if (/^(!|\.\/)/.test(pattern) || !isWellFormed(pattern)) return { alternatives: [[ANYTHING]], exact: false };
  const spellings = expandBraces(pattern)
    .flatMap(expandGlobstars)
    .flatMap(expandSets)
    .flatMap((one) => (one.endsWith('/') ? [one, one.slice(0, -1)] : [one]));
  if (spellings.length > MAX_ALTERNATIVES) return { alternatives: [[ANYTHING]], exact: false };
  return { alternatives: spellings.map((one) => parseOne(one, ignoreCase)), exact: isPlain(pattern) };
}

/**
 * Sets closed and without brackets in them, braces and parentheses in pairs, no stars in crowds: what picomatch makes
 * of other patterns is hard to say (after a POSIX class, or `***`, a dot is any character).
 */
function isWellFormed(pattern: string): boolean {
  if (/\*{3}|\*\*\/\*\*/.test(pattern)) return false;
  let rest = pattern.replace(/\\./gsu, '').replace(/\[\^?[^\][{}()*?+@]+\]/g, '');
  for (let before = ''; before !== rest;) {
    before = rest;
    rest = rest.replace(/\{[^{}()]*\}|\([^{}()]*\)/g, '');
  }
  return !/[[\](){}\\]/.test(rest);
}

/**
 * Nothing in it but plain characters, `*`, `?`, `**` between slashes, sets and one level of `{a,b}`: what is widened
 * nowhere below.
 */
function isPlain(pattern: string): boolean {
  const rest = pattern
    .replace(/\[\^?[^\]\\[!^]+\]/g, '')
    .replace(/\{[^{}.]*(?:\.[^{}.]+)*\}/g, '')
    .replace(/(^|\/)\*\*(?=\/|$)/g, '$1');
  return !/[\\!()[\]{}]|\*\*/.test(rest);
}

function parseOne(pattern: string, ignoreCase: boolean): readonly Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length;) {
    const char = pattern[i]!;
    const group =
      /^[*?+@!]?\(/.exec(pattern.slice(i)) === null ? -1 : closing(pattern, pattern.indexOf('(', i), '(', ')');
    if (group > 0) {
      tokens.push(ANYTHING);
      i = group + 1;
    } else if (char === '*') {
      const deep = pattern[i + 1] === '*';
      tokens.push(deep ? ANYTHING : { ranges: NOT_SLASH, many: true });
      i += deep ? 2 : 1;
    } else if (char === '?') {
      tokens.push({ ranges: NOT_SLASH, many: false });
      i++;
    } else if (char === '[' && pattern.indexOf(']', i + 2) > 0) {
      const set = parseSet(pattern, i);
      tokens.push({ ranges: ignoreCase ? bothCases(set.ranges) : set.ranges, many: false });
      i = set.end + 1;
    } else {
      const at = char === '\\' && i + 1 < pattern.length ? i + 1 : i;
      const token = once(pattern.charCodeAt(at));
      tokens.push(ignoreCase ? { ranges: bothCases(token.ranges), many: false } : token);
      i = at + 1;
    }
  }
  return tokens;
}

/** `[a-z0-9]`, `[^x]`. `[!x]` (a negation in a feed's patterns, not everywhere in picomatch) may be any character. */
function parseSet(pattern: string, start: number): { readonly ranges: readonly Range[]; readonly end: number } {
  const negated = pattern[start + 1] === '^';
  const first = start + (negated ? 2 : 1);
  const end = pattern.indexOf(']', first + 1);
  const inside = pattern.slice(first, end);
  if (/^!|\\/.test(inside)) return { ranges: NOT_SLASH, end };
  const ranges: Range[] = [];
  for (let i = 0; i < inside.length; i++) {
    const from = inside.charCodeAt(i);
    const to = inside[i + 1] === '-' && i + 2 < inside.length ? inside.charCodeAt(i + 2) : from;
    ranges.push([Math.min(from, to), Math.max(from, to)]);
    if (to !== from) i += 2;
  }
  return { ranges: negated ? complement([...ranges, [SLASH, SLASH]]) : ranges, end };
}

function complement(ranges: readonly Range[]): readonly Range[] {
  const gaps: Range[] = [];
  let next = 0;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  return next <= LAST ? [...gaps, [next, LAST]] : gaps;
}

function bothCases(ranges: readonly Range[]): readonly Range[] {
  const shift = ([from, to]: Range, low: number, by: number): Range[] =>
    to < low || from > low + 25 ? [] : [[Math.max(from, low) + by, Math.min(to, low + 25) + by]];
  const single = ranges.flatMap(([from, to]): Range[] => {
    if (from !== to) return [];
    const char = String.fromCharCode(from);
    return [char.toLowerCase(), char.toUpperCase()].flatMap((c): Range[] =>
      c.length === 1 ? [[c.charCodeAt(0), c.charCodeAt(0)]] : [],
    );
  });
  return [...ranges, ...single, ...ranges.flatMap((r) => [...shift(r, 65, 32), ...shift(r, 97, -32)])];
}

/** `{csv,json}` and `{,.gz}`; ranges such as `{1..9}` count as any text. */
function expandBraces(pattern: string): readonly string[] {
  const open = pattern.search(/(?<!\\)\{/);
  const close = open < 0 ? -1 : closing(pattern, open, '{', '}');
  if (close < 0) return [pattern];
  const inside = pattern.slice(open + 1, close);
  const rest = expandBraces(pattern.slice(close + 1));
  const words = /^[^,]*\.\.[^,]*$/.test(inside) ? ['*'] : splitTop(inside).flatMap(expandBraces);
  const all = words.flatMap((word) => rest.map((tail) => pattern.slice(0, open) + word + tail));
  return all.length > MAX_ALTERNATIVES ? all.slice(0, MAX_ALTERNATIVES + 1) : all;
}

/** A globstar between slashes may stand for no folder at all: both spellings are looked at. */
function expandGlobstars(pattern: string): readonly string[] {
  const found = /(^|\/)\*\*\//.exec(pattern);
  if (found === null) return pattern.endsWith('/**') ? [pattern, pattern.slice(0, -3)] : [pattern];
  const end = found.index + found[0].length;
  const head = pattern.slice(0, found.index) + found[1]!;
  // The second spelling's own ** is not looked at again: it stands before the rest.
  return expandGlobstars(pattern.slice(end)).flatMap((rest) => [head + rest, `${head}**/${rest}`]);
}

/**
 * A set without a range also meets itself, brackets and all: picomatch takes `[a]b` for a name that may really be so.
 */
function expandSets(pattern: string): readonly string[] {
  const found = /(?<!\\)\[(?!\^)([^\]\\-]+)\]/.exec(pattern);
  if (found === null) return [pattern];
  const head = pattern.slice(0, found.index);
  const rests = expandSets(pattern.slice(found.index + found[0].length));
  const all = rests.flatMap((rest) => [`${head}${found[0]}${rest}`, `${head}\\[${found[1]!}\\]${rest}`]);
  return all.length > MAX_ALTERNATIVES ? all.slice(0, MAX_ALTERNATIVES + 1) : all;
}

function splitTop(inside: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === '{') depth++;
    if (inside[i] === '}') depth--;
    if (inside[i] !== ',' || depth > 0) continue;
    parts.push(inside.slice(start, i));
    start = i + 1;
  }
  return [...parts, inside.slice(start)];
}

function closing(pattern: string, open: number, left: string, right: string): number {
  let depth = 0;
  for (let i = open; i < pattern.length; i++) {
    if (pattern[i] === left) depth++;
    if (pattern[i] === right && --depth === 0) return i;
  }
  return -1;
}
