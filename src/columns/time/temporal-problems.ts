import type { PgType } from '../../core/codec.js';
import type { CodecOptions } from '../column-type.js';
import { localeProblem } from './locale-names.js';
import { formatProblem, type Content } from './strptime-format.js';
import { timeZoneNamed } from './time-zone.js';

const CONTENT: ReadonlyMap<string, Content> = new Map([
  ['date', 'date'],
  ['time', 'time'],
  ['timestamp', 'timestamp'],
  ['timestamptz', 'timestamp'],
]);

export const isTemporal = (type: PgType): boolean => CONTENT.has(type.typname);

/** What is wrong with a column's formats and time zone, for people; each begins with the key it is about. */
export function temporalProblems(
  options: Pick<CodecOptions, 'formats' | 'timezone' | 'locale'>,
  type: PgType,
): string[] {
  const content = CONTENT.get(type.typname);
  if (content === undefined) return [];
  const problems = options.formats
    .map((format) => formatProblem(format, content))
    .filter((problem) => problem !== null);
  const { timezone, locale } = options;
  const unknown = locale === null ? null : localeProblem(locale);
  if (unknown !== null) problems.push(unknown);
  if (timezone !== null && timeZoneNamed(timezone) === null)
    problems.push(`timezone ${JSON.stringify(timezone)} is no zone of the IANA database (such as Europe/Paris)`);
  return problems;
}
