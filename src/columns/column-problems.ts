import type { PgType } from '../core/codec.js';
import type { ColumnSpec } from '../core/feed/columns.js';
import { notA } from './cell.js';
import { build } from './column.js';
import { encodeField } from './rules.js';
import { isTemporal } from './time/temporal-problems.js';
import { pgTypeNamed, TYPE_WORDS } from './type-name.js';

/**
 * What is wrong with a column of the contract, for people; empty = nothing. Each message begins with the key it is
 * about. Judged by `spec.type`, so that config validation needs no database; compileColumn judges once more by the real
 * column's type.
 */
export function columnProblems(spec: ColumnSpec, feedTimezone = 'UTC'): string[] {
  const type = pgTypeNamed(spec.type);
  if (type === null) return [`type ${JSON.stringify(spec.type)} is unknown; the types are ${TYPE_WORDS.join(', ')}`];
  const problems = strangeKeys(spec, type);
  const { codec } = build(spec, type, feedTimezone, 'binary', problems);
  // The codec of a column whose format or zone does not exist would refuse everything else too.
  if (problems.length > 0) return problems;
  for (const value of spec.enum ?? []) {
    if (encodeField(codec.encode, codec, value) === null)
      problems.push(`enum: ${JSON.stringify(value)} is ${notA(codec.typeName)}, so no cell can hold it`);
  }
  return problems;
}

/** Keys that this type does not read: silence would look like consent. */
function strangeKeys(spec: ColumnSpec, type: PgType): string[] {
  const problems: string[] = [];
  if (spec.formats.length > 0 && !isTemporal(type))
    problems.push(`format is for dates and times, not for ${spec.type}`);
  if (spec.locale !== null && !isTemporal(type)) problems.push(`locale is for dates and times, not for ${spec.type}`);
  if (type.typname !== 'bool' && spec.trueValues !== null)
    problems.push(`true_values is for boolean, not for ${spec.type}`);
  if (type.typname !== 'bool' && spec.falseValues !== null)
    problems.push(`false_values is for boolean, not for ${spec.type}`);
  return [...problems, ...numberProblems(spec, type)];
}

const NUMBERS: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']);

/** The keys of numbers as people write them. */
function numberProblems(spec: ColumnSpec, type: PgType): string[] {
  const { negative, currency, percent, decimal, thousands } = spec;
  const keys = [negative === null ? [] : ['negative'], currency.length === 0 ? [] : ['currency']].flat();
  if (percent !== null) keys.push('percent');
  if (!NUMBERS.has(type.typname)) return keys.map((key) => `${key} is for numbers, not for ${spec.type}`);
  const signs = new Set([decimal, thousands ?? decimal, '.', ',', '+', '-', '\u2212', '(', ')', '%']);
  return currency
    .filter((sign) => {
      const characters = Array.from(sign);
      return (
        characters.length === 0 ||
        signs.has(characters[0]!) ||
        ['+', '-', '\u2212', '(', ')', '%'].includes(characters.at(-1)!) ||
        /\p{Nd}|^\s|\s$/u.test(sign)
      );
    })
    .map((sign) => `currency ${JSON.stringify(sign)} is no currency sign: it begins or ends with a sign of numbers`);
}
