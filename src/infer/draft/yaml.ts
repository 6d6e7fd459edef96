import type { ColumnDraft, FeedDraft } from './draft.js';

/** Characters that are shown as \u escapes: controls, line separators, and those that turn the direction of writing. */
const HIDDEN = new RegExp(
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufffe\\uffff\\ud800-\\udfff]',
  'gu',
);
/** Plain words of YAML that are no strings, in any version of it. */
const WORDS = /^(?:true|false|yes|no|on|off|y|n|null|~|nan|inf)$/i;

/**
 * A scalar that any YAML reader gives back as this text, inside of { } and [ ] too. `${` is what variables begin with:
 * written `$${`.
 */
export function yamlText(text: string): string {
  const plain = /^[A-Za-z_][A-Za-z0-9_]*(?:[ ./+-][A-Za-z0-9_]+)*$/.test(text) && !WORDS.test(text);
  if (plain) return text;
  return JSON.stringify(text.replaceAll('${', () => '$${')).replace(HIDDEN, escape);
}

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** For a comment: one line, nothing that steers a terminal. */
export const commentText = (text: string): string => text.replace(HIDDEN, escape);

const scalar = (value: unknown): string =>
  typeof value === 'string'
    ? yamlText(value)
    : typeof value === 'number' || typeof value === 'boolean' || value === null
      ? String(value)
      : Array.isArray(value)
        ? `[${value.map(scalar).join(', ')}]`
        : flow(value);

const flow = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? `{ ${Object.entries(value)
        .map(([key, one]) => `${yamlText(key)}: ${scalar(one)}`)
        .join(', ')} }`
    : String(value);

/** The feed as YAML, indented to stand under `feeds:`. */
export function feedYaml(draft: FeedDraft): string {
  const lines: string[] = [];
  for (const note of draft.head) lines.push(`  # ${commentText(note)}`);
  lines.push(`  ${yamlText(draft.name)}:`);
  lines.push(
    '    source:',
    ...Object.entries(draft.source).map(
      ([key, value]) => `      ${key}: ${scalar(value)}${commentOf(draft.comments[`source.${key}`])}`,
    ),
  );
  lines.push(
    '    format:',
    ...Object.entries(draft.format).map(
      ([key, value]) => `      ${key}: ${scalar(value)}${commentOf(draft.comments[`format.${key}`])}`,
    ),
  );
  for (const note of draft.formatNotes) lines.push(`      # ${commentText(note)}`);
  for (const [key, value] of Object.entries(draft.keys))
    lines.push(`    ${key}: ${scalar(value)}${commentOf(draft.comments[key])}`);
  if (draft.columns.length > 0)
    lines.push(
      '    columns:',
      ...draft.columns.map((column) => `      - ${flow(columnKeys(column))}${commentOf(columnComment(column))}`),
    );
  for (const note of draft.tail) lines.push(`    # ${commentText(note)}`);
  return `${lines.join('\n')}\n`;
}

const commentOf = (text: string | undefined): string =>
  text === undefined || text === '' ? '' : `   # ${commentText(text)}`;

function columnComment({ doubts, facts }: ColumnDraft): string {
  const seen = Object.entries(facts)
    .map(([key, value]) => `${key}: ${scalar(value)}`)
    .join(', ');
  return [...doubts, ...(seen === '' ? [] : [`in the sample: ${seen}`])].join('; ');
}

/** The keys of the column as the config has them. */
export function columnKeys(column: ColumnDraft): Readonly<Record<string, unknown>> {
  const { name, from, start, width, guess } = column;
  const [format, another] = guess.formats ?? [];
  return {
    name,
    ...(from === null ? {} : { from }),
    ...(start === null ? {} : { start }),
    ...(width === null ? {} : { width }),
    type: guess.type,
    ...(format === undefined ? {} : { format: another === undefined ? format : guess.formats }),
    ...(guess.locale === undefined ? {} : { locale: guess.locale }),
    ...(guess.decimal === undefined ? {} : { decimal: guess.decimal }),
    ...(guess.thousands === undefined ? {} : { thousands: guess.thousands }),
    ...(guess.negative === undefined ? {} : { negative: guess.negative }),
    ...(guess.currency === undefined ? {} : { currency: guess.currency }),
    ...(guess.percent === undefined ? {} : { percent: guess.percent }),
    ...(guess.round === undefined ? {} : { round: guess.round }),
    ...(guess.trueValues === undefined ? {} : { true_values: guess.trueValues }),
    ...(guess.falseValues === undefined ? {} : { false_values: guess.falseValues }),
  };
}
