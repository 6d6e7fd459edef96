import '../../base/zod-config.js';
import * as z from 'zod';
import { expressionProblem } from '../../base/expression/expression.js';
import {
  formatDuration,
  formatSize,
  DURATION_PATTERN,
  parseDuration,
  parseSize,
  SIZE_PATTERN,
} from '../../base/units.js';

/** The kinds of single values that the config's keys are made of. Parts may use them in their own option schemas. */

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** `30s` -> 30000. `min` and `max` in milliseconds. */
export const duration = (range: Range = {}) =>
  z
    .string()
    .regex(DURATION_PATTERN, 'is no duration: write 500ms, 30s, 5m, 2h or 7d')
    .transform((text, context) => inRange(parseDuration(text), range, formatDuration, context));

/** `16MiB` -> 16777216. `min` and `max` in bytes. */
export const size = (range: Range = {}) =>
  z
    .string()
    .regex(SIZE_PATTERN, 'is no size: write 64KiB, 1MiB or 10MB')
    .transform((text, context) => inRange(parseSize(text), range, formatSize, context));

function inRange(
  value: number | null,
  range: Range,
  format: (value: number) => string,
  context: z.RefinementCtx<string>,
): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  if (value !== null && value >= min && value <= max) return value;
  const message =
    value !== null && value < min ? `is too small: at least ${format(min)}` : `is too large: at most ${format(max)}`;
  context.issues.push({ code: 'custom', input: context.value, message });
  return z.NEVER;
}

/** Text that is not empty and holds no NUL. */
export const text = () =>
  z
    .string()
    .min(1, 'is empty')
    .refine((value) => !value.includes('\0'), 'holds a NUL');

/** One or a list of at least one; always a list behind the schema. */
export const oneOrMany = <T extends z.ZodType>(item: T) =>
  z
    .union([item, z.array(item).min(1, 'is an empty list')])
    .transform((value): z.output<T>[] => (Array.isArray(value) ? value : [value]));

/** The text of a value: `0`, `1.10` and `true` may be written without quotes and stay as they are written. */
export const cellText = () => z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** A JavaScript regular expression, with the u flag or in the older grammar. */
export const regex = () =>
  text().superRefine((value, context) => {
    const message = expressionProblem(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

/** An IANA time zone that this Node knows. */
export const timeZone = () =>
  text().refine((zone) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone });
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }, 'is no time zone: write for example Europe/Paris or UTC');

/** A name in PostgreSQL: 63 bytes at most, longer ones would be cut silently and could collide. */
export const identifier = () =>
  text().refine((name) => Buffer.byteLength(name) <= 63, 'is longer than 63 bytes, PostgreSQL would cut it');

/** A value that is never printed: `{ env: NAME }`, `{ file: path }`, or text with `${NAME}`. */
export const secret = () =>
  z.union([
    text(),
    z.strictObject({ env: text().describe('Name of the variable that holds it.') }),
    z.strictObject({ file: text().describe('Path of the file that holds it; its final newline is dropped.') }),
  ]);
export type SecretInput = z.output<ReturnType<typeof secret>>;
