import { VALUE_LIMIT } from './visible-text.js';

/**
 * Text that jsonb and every reader take: NUL becomes `\x00`, a lone surrogate `\uD800`. PostgreSQL refuses both in
 * jsonb (22P05, 22P02). At most `limit` UTF-16 units. For names and messages; cells come through visibleText.
 */
export function visibleString(text: string, limit = VALUE_LIMIT): string {
  const short = text.length <= limit ? text : text.slice(0, limit);
  return short
    .replaceAll('\0', '\\x00')
    .replace(
      /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}
