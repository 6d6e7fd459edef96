import { expressionOf, type Expression } from '../../base/expression/expression.js';
import { namedMoment } from '../../base/named-moment.js';
import { timeLetterPart, withTimeLetters } from '../../base/time-letters.js';
import type { NamePattern, SourceSpec } from '../../core/feed/source.js';
import { splitPath } from './extensions.js';
import { globExpression, globTest } from './selection.js';

/** What the patterns of a feed caught of a path. */
export interface Named {
  /** Texts by strftime letter as they stand in the path; of a letter that is there twice the one nearest to its end. */
  readonly letters: Readonly<Record<string, string>>;
  /** YYYY-MM-DD; null = the letters name no day, or none that exists. */
  readonly date: string | null;
  /** HH:MM:SS, perhaps with six decimals; null = there is no date, or no hour. */
  readonly time: string | null;
  /** Named groups of SourceSpec.nameGroups; one of a branch that was not taken is not there. */
  readonly groups: Readonly<Record<string, string>>;
}

/**
 * What a path is named by: the first of the patterns that finds a date in it, then the first that finds anything; null
 * = nothing is caught. Where several places would do (`*%Y%m%d*`), it is the leftmost that looks like a date. Compiled
 * once a feed and asked for a file only when somebody wants to know: a listing chooses by `selectionOf`.
 */
export function namerOf(spec: Pick<SourceSpec, 'named' | 'nameGroups' | 'ignoreCase'>): (path: string) => Named | null {
  const catchers = (spec.named ?? []).map((pattern) => catcherOf(pattern, spec.ignoreCase));
  const groups = spec.nameGroups === undefined ? null : expressionOf(spec.nameGroups, spec.ignoreCase ? 'isu' : 'su');
  return (path) => {
    const found = catchers.map((caught) => caught(path)).filter((letters) => letters !== null);
    const letters: Named['letters'] = found.find((one) => namedMoment(one) !== null) ?? found[0] ?? {};
    const moment = namedMoment(letters);
    const named: Named = {
      letters,
      date: moment?.date ?? null,
      time: moment?.time ?? null,
      // What took too long to find out is not there, as what does not match.
      groups: groups?.catch(path) ?? {},
    };
    return Object.keys(letters).length === 0 && Object.keys(named.groups).length === 0 ? null : named;
  };
}

/**
 * A date letter within the glob that picomatch is given: a class of one character that no file has (private use), which
 * it hands through as it is, and which means to what stands around it what the digit classes of the other glob mean.
 */
const MARK = 0xe000;
const markOf = (letter: string): string => {
  const mark = String.fromCharCode(MARK + letter.charCodeAt(0));
  return `[${mark}-${mark}]`;
};
/** A mark in the expression that picomatch made; what is escaped there stays as it is. */
const MARKED = /\\.|\[([\ue000-\ue07f])-\1\]/gsu;

/** The texts of the letters by their names; null = the path is not of the pattern, or its digits are no date. */
function catcherOf({ glob, captures }: NamePattern, ignoreCase: boolean): (path: string) => Named['letters'] | null {
  const chosen = globTest(glob, ignoreCase);
  const catching = catchingTest(captures, ignoreCase);
  const wholePath = captures.includes('/');
  return (path) => {
    const text = wholePath ? path : splitPath(path).name;
    const groups = (chosen(text) ? catching?.catch(text) : null) ?? null;
    if (groups === null) return null;
    return Object.fromEntries(Object.entries(groups).map(([group, part]) => [group.charAt(0), part]));
  };
}

/**
 * The glob's expression with a group for each letter: one may stand there several times, so they are d0, m1, d2. null =
 * it catches nothing.
 */
function catchingTest(captures: string, ignoreCase: boolean): Expression | null {
  const { source, flags } = globExpression(withTimeLetters(captures, markOf), ignoreCase);
  let count = 0;
  const grouped = source.replace(MARKED, (all, mark: string | undefined) => {
    if (mark === undefined) return all;
    const letter = String.fromCharCode(mark.charCodeAt(0) - MARK);
    return `(?<${letter}${count++}>${timeLetterPart(letter)})`;
  });
  try {
    return expressionOf(grouped, flags);
  } catch (error) {
    // Letters as the ends of a range, `{%d..%m}`: nothing is caught by that.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
