import { TallymanError } from '../core/errors.js';
import type { FormatSpec } from '../core/feed/input.js';
import type { FormatType } from '../core/format.js';

/** The format of this name; config/ and infer/ name only such as there are. */
export function findFormat(formats: readonly FormatType[], type: string): FormatType {
  const format = formats.find((one) => one.type === type);
  if (format === undefined) throw new TallymanError('INTERNAL', `there is no format ${type}`);
  return format;
}

/** A feed's format, and its options: plain data, made by this very schema (config/), that came through a message. */
export function formatOf(
  formats: readonly FormatType[],
  { type, options }: FormatSpec,
): { readonly format: FormatType; readonly options: Record<string, unknown> } {
  const format = findFormat(formats, type);
  return { format, options: format.options.parse(options) };
}
