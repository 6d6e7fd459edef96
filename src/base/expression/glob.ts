import { expressionOf } from './expression.js';

/** True for a text that the glob meets. */
export type GlobTest = (text: string) => boolean;

/** Tests that were made before: feeds share their ignores, and a thousand of them may have the same pattern. */
const KNOWN = new Map<string, GlobTest>();

/**
 * The test of a glob of which picomatch made the expression `made`: the same answers, in time in proportion to the
 * text. Globs of plain names and stars, of which nearly all are, need no expression.
 */
export function globTestOf(glob: string, made: RegExp): GlobTest {
  const name = `${made.flags} ${made.source} ${glob}`;
  const known = KNOWN.get(name);
  if (known !== undefined) return known;
  const test = linearTest(glob, made);
  if (KNOWN.size >= 10_000) KNOWN.clear();
  KNOWN.set(name, test);
  return test;
}

/** Node's engine for texts that cost it little whatever they are; it is the fastest. */
function linearTest(glob: string, made: RegExp): GlobTest {
  const expression = expressionOf(made.source, made.flags);
  const { harmlessTo } = expression.cost;
  // What cannot be told within the bound counts as not met: such a name is hostile, and not data.
  const whole: GlobTest = (text) => expression.test(text) === true;
  const simple = simpleTest(glob, made, whole) ?? whole;
  return (text) => (text.length <= harmlessTo ? made.test(text) : simple(text));
}

/** null = it needs its expression, `whole`. */
function simpleTest(glob: string, made: RegExp, whole: GlobTest): GlobTest | null {
  const anywhere = glob.startsWith('**/');
  const names = spellings(anywhere ? glob.slice(3) : glob);
  if (!names.every((name) => PLAIN.test(name)) || !made.dotAll) return null;
  const tests = names.map((name) => plainTest(name, made.ignoreCase));
  const plain: GlobTest = (text) => tests.some((test) => test(text));
  if (!anywhere) return plain;
  // Any folders, then the name; what picomatch makes of the rest is no file's path.
  return (path) => (DOTS.test(path) ? whole(path) : plain(path.slice(path.lastIndexOf('/') + 1)));
}

/** `*.{csv,txt}` as `*.csv` and `*.txt`: one list in braces, at the end. */
function spellings(glob: string): readonly string[] {
  const [, head, list] = /^([^{}]*)\{([^{}]*,[^{}]*)\}$/.exec(glob) ?? [];
  return head === undefined || list === undefined || head === '' ? [glob] : list.split(',').map((end) => head + end);
}

/** A folder of dots, or nothing behind the last slash. */
const DOTS = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Stars, ranges in brackets, and what stands for itself. Two stars side by side mean more to picomatch. */
const PLAIN = /^(?!.*\*\*)(?:[\w%,=~ -]|(?!^)\.|\*|\[(?:0-9|a-z|A-Z)+\])+$/;
const PIECES = /\[([^\]]*)\]|./gs;

const STAR = 42;
const SLASH = 47;

/** One character that is wanted, one of several, or a star. */
type Wanted = number | Uint8Array;

/** Behind a part that did not fit, only the last star can take more: places are tried one after the other. */
function plainTest(glob: string, ignoreCase: boolean): GlobTest {
  if (glob === '*') return (text) => text !== '' && text !== '.' && text !== '..' && !text.includes('/');
  const wanted = [...glob.matchAll(PIECES)].map(([piece, set]): Wanted =>
    set === undefined ? lowered(piece.charCodeAt(0), ignoreCase) : members(set, ignoreCase),
  );
  const star = wanted[0] === STAR;
  return (text) => {
    if (star && (text === '' || text === '.' || text === '..')) return false;
    let at = 0;
    let next = 0;
    let lastStar = -1;
    let lastAt = 0;
    while (at < text.length) {
      const token = wanted[next];
      if (token === STAR) {
        lastStar = next++;
        lastAt = at;
      } else if (token !== undefined && takes(token, lowered(text.charCodeAt(at), ignoreCase))) {
        at++;
        next++;
      } else if (lastStar >= 0 && text.charCodeAt(lastAt) !== SLASH) {
        next = lastStar + 1;
        at = ++lastAt;
      } else return false;
    }
    while (wanted[next] === STAR) next++;
    return next === wanted.length;
  };
}

const takes = (token: Wanted, code: number): boolean =>
  typeof token === 'number' ? token === code : token[code] === 1;

function members(ranges: string, ignoreCase: boolean): Uint8Array {
  const set = new Uint8Array(128);
  for (let i = 0; i < ranges.length; i += 3)
    for (let code = ranges.charCodeAt(i); code <= ranges.charCodeAt(i + 2); code++) set[lowered(code, ignoreCase)] = 1;
  return set;
}

const lowered = (code: number, ignoreCase: boolean): number =>
  ignoreCase && code >= 65 && code <= 90 ? code + 32 : code;
