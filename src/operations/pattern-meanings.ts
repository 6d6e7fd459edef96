import { takenAway } from '../base/expression/glob-list.js';
import type { Config } from '../config/config.js';

/** What one glob of a feed's list does, in its order. */
export interface PatternMeaning {
  /** Where it stands: `feeds.orders.source.pattern`. */
  readonly key: string;
  readonly pattern: string;
  readonly meaning: string;
}

/** The lists `pattern` and `ignore` of every feed, said in words. */
export function patternMeanings({ feeds, written }: Pick<Config, 'feeds' | 'written'>): readonly PatternMeaning[] {
  return feeds.flatMap(({ name, source }) => {
    const where = source.recursive ? 'in any folder' : 'in the folder itself';
    const of = (list: 'pattern' | 'ignore', globs: readonly string[]): readonly PatternMeaning[] =>
      globs.map((pattern) => {
        const away = takenAway(pattern);
        const glob = away ?? pattern;
        const what = glob.includes('/') ? `files whose path is ${glob}` : `files named ${glob} ${where}`;
        const does =
          list === 'pattern'
            ? away === null
              ? 'takes'
              : 'takes away from the patterns before it'
            : away === null
              ? 'ignores'
              : 'takes away from the ignores before it (they are data again when a pattern meets them)';
        return { key: `feeds.${name}.source.${list}`, pattern, meaning: `${does} ${what}` };
      });
    return [...of('pattern', written.get(name)?.patterns ?? source.patterns), ...of('ignore', source.ignore)];
  });
}
