import { RegExpParser } from '@eslint-community/regexpp';
import { compile } from '../../src/base/expression/compile.js';
import { Run, TOO_LONG } from '../../src/base/expression/run.js';

/** What the program's own engine finds, Node's left out: the place of the match and every group; null = none. */
export function ownEngine(source: string, flags: string, text: string): unknown {
  const regexp = new RegExp(source, flags);
  const { unicode, ignoreCase, dotAll } = regexp;
  const pattern = new RegExpParser().parsePattern(source, 0, source.length, { unicode, unicodeSets: false });
  const run = new Run(compile(pattern, { unicode, ignoreCase, dotAll, groups: true }));
  const at = run.search(text);
  if (at === TOO_LONG) return 'too long';
  if (at < 0) return null;
  const groups: [string, string | undefined][] = [];
  for (let slot = 0; slot < run.slots.length; slot += 2) {
    const [from, to] = [run.slots[slot]!, run.slots[slot + 1]!];
    groups.push([`${slot / 2}`, from < 0 || to < 0 ? undefined : text.slice(from, to)]);
  }
  return { at, ...Object.fromEntries(groups) };
}
