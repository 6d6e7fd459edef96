import { count } from '../../base/text/readable-numbers.js';
import type { RunSummary } from '../../operations/run-summary.js';
import { oneLine } from '../../base/text/terminal-text.js';

/** What lies in the folders and no pattern wants, for people; nothing when there is none. */
export function unmatchedLines(unmatched: RunSummary['unmatched']): readonly string[] {
  if (unmatched === null || unmatched.count === 0) return [];
  const files = unmatched.count === 1 && !unmatched.more ? 'file' : 'files';
  const head = `${unmatched.more ? 'more than ' : ''}${count(unmatched.count)} ${files} that no pattern wants:`;
  const rest = unmatched.count - unmatched.items.length;
  return [
    head,
    ...unmatched.items.map(
      ({ feed, path, age_seconds: age, nearest_pattern: near }) =>
        `  ${oneLine(path)} in ${feed}: nearest pattern ${oneLine(near)}${age === null ? '' : `, ${ageText(age)} old`}`,
    ),
    ...(rest > 0 ? [`  and ${count(rest)} more`] : []),
  ];
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
