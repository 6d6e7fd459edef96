import { expressionProblem, writtenExpression } from '../base/expression/expression.js';
import type { Codec, CopyBuffer } from '../core/codec.js';
import type { ColumnSpec } from '../core/feed/columns.js';
import { ByteSet } from './byte-set.js';
import { notA } from './cell.js';

/** One rule of a column (docs/spec/columns.md#keys-of-a-column), checked on cells that the codec has accepted. */
export interface Rule {
  readonly name: 'min' | 'max' | 'min_length' | 'max_length' | 'pattern' | 'enum';
  /** For people, without the value: "less than 0". Of a pattern it is about the cell that it was last held against. */
  readonly message: string;
  /**
   * The cell's text without the blanks around it that do not count, and its binary value (without length word) for min
   * and max.
   */
  holds(bytes: Buffer, start: number, end: number, encoded: Buffer, encodedStart: number, encodedEnd: number): boolean;
}

/** Rules that need the encoded value; the others look at the text. */
export const needsValue = (rule: Rule): boolean => rule.name === 'min' || rule.name === 'max';

/**
 * The rules that a column's spec asks for, in the order in which they are reported. `bounds` reads min and max: they
 * are written in the plain form of the type (ISO dates, a decimal point), for they stand in the config and not in the
 * file. Mistakes go to `problems`.
 */
export function compileRules(spec: ColumnSpec, codec: Codec, bounds: Codec, problems: string[]): readonly Rule[] {
  const rules = boundRules(spec, codec, bounds, problems);
  if (spec.minLength !== null && spec.maxLength !== null && spec.minLength > spec.maxLength) {
    problems.push(`min_length ${spec.minLength} is more than max_length ${spec.maxLength}`);
  }
  if (spec.minLength !== null) rules.push(minLengthRule(spec.minLength));
  if (spec.maxLength !== null) rules.push(maxLengthRule(spec.maxLength));
  if (spec.pattern !== null) rules.push(...patternRule(spec.pattern, problems));
  if (spec.enum !== null) rules.push(enumRule(spec.enum));
  return rules;
}

/** What `encode` (the codec's encode or encodeText) writes for a text; null = refused, or blank. */
export function encodeField(encode: Codec['encode'], codec: Codec, text: string): Buffer | null {
  const bytes = Buffer.from(text);
  const out: CopyBuffer = { buf: Buffer.alloc(codec.maxSize(bytes.length)), pos: 0 };
  return encode(bytes, 0, bytes.length, out) === 0 ? out.buf.subarray(0, out.pos) : null;
}

function boundRules({ min, max }: ColumnSpec, codec: Codec, bounds: Codec, problems: string[]): Rule[] {
  const { compare } = codec;
  if (min === null && max === null) return [];
  if (compare === null) {
    problems.push(`${min === null ? 'max' : 'min'} cannot be used: values of type ${codec.typeName} have no order`);
    return [];
  }
  const least = boundValue('min', min, codec, bounds, problems);
  const most = boundValue('max', max, codec, bounds, problems);
  if (least !== null && most !== null && compare(least, 0, least.length, most, 0, most.length) > 0)
    problems.push(`min ${min ?? ''} is more than max ${max ?? ''}`);
  const rules: Rule[] = [];
  if (least !== null) {
    const holds: Rule['holds'] = (_bytes, _start, _end, value, from, to) =>
      compare(value, from, to, least, 0, least.length) >= 0;
    rules.push({ name: 'min', message: `less than ${min ?? ''}`, holds });
  }
  if (most !== null) {
    const holds: Rule['holds'] = (_bytes, _start, _end, value, from, to) =>
      compare(value, from, to, most, 0, most.length) <= 0;
    rules.push({ name: 'max', message: `more than ${max ?? ''}`, holds });
  }
  return rules;
}

/** The bound in binary, without the length word. */
function boundValue(
  name: 'min' | 'max',
  text: string | null,
  codec: Codec,
  bounds: Codec,
  problems: string[],
): Buffer | null {
  if (text === null) return null;
  const field = encodeField(bounds.encode, bounds, text) ?? encodeField(codec.encode, codec, text);
  if (field === null) problems.push(`${name} ${JSON.stringify(text)} is ${notA(codec.typeName)}`);
  return field?.subarray(4) ?? null;
}

function minLengthRule(limit: number): Rule {
  return {
    name: 'min_length',
    message: `shorter than ${limit} characters`,
    holds: (bytes, start, end) => end - start >= limit && characters(bytes, start, end) >= limit,
  };
}

function maxLengthRule(limit: number): Rule {
  return {
    name: 'max_length',
    message: `longer than ${limit} characters`,
    holds: (bytes, start, end) => end - start <= limit || characters(bytes, start, end) <= limit,
  };
}

/** Code points: all bytes that do not continue a character. */
function characters(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) count++;
  return count;
}

function patternRule(pattern: string, problems: string[]): Rule[] {
  const mistake = expressionProblem(pattern);
  if (mistake !== null) {
    const words = mistake.startsWith('is no ') ? 'is not a JavaScript regular expression' : mistake;
    problems.push(`pattern ${JSON.stringify(pattern)} ${words}`);
    return [];
  }
  const expression = writtenExpression(pattern);
  let tooLong = false;
  return [
    {
      name: 'pattern',
      get message() {
        return tooLong ? `took too long to hold against ${pattern}` : `does not match ${pattern}`;
      },
      holds: (bytes, start, end) => {
        const holds = expression.test(bytes.toString('utf8', start, end));
        tooLong = holds === null;
        return holds === true;
      },
    },
  ];
}

function enumRule(values: readonly string[]): Rule {
  const set = new ByteSet(values);
  return {
    name: 'enum',
    message: `not one of ${listed(values)}`,
    holds: (bytes, start, end) => set.has(bytes, start, end),
  };
}

const SHOWN = 10;

const listed = (values: readonly string[]): string =>
  values.length <= SHOWN ? values.join(', ') : `${values.slice(0, SHOWN).join(', ')} and ${values.length - SHOWN} more`;
