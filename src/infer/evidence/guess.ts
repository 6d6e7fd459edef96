import type { Evidence, Guess } from './column-guess.js';
import { MOST_LISTED } from './distinct.js';
import { guessMoment } from './guess-moment.js';
import { guessNumber } from './guess-number.js';
import { MOST_FORMS } from './moment-evidence.js';
import { isInfinite } from './null-words.js';
import type { ColumnProfile } from './profile.js';

/** The narrowest type that all values of the sample fit. */
export function guessColumn(profile: ColumnProfile, name: string, evidence: Evidence): Guess {
  if (profile.values === 0) return emptyColumn(profile);
  const words = [...profile.words.keys()];
  // Infinite numbers are numbers; in any other column they are texts.
  const infinite = words.some(isInfinite);
  const plainWords = words.filter((word) => !isInfinite(word));
  if (!infinite) {
    if (profile.uuid) return { type: 'uuid', nulls: plainWords, doubts: [] };
    if (profile.json) return { type: 'jsonb', nulls: plainWords, doubts: [] };
    const moment = guessMoment(profile, name, evidence);
    if (moment !== null) return { ...moment, nulls: plainWords };
    const flag = guessBoolean(profile);
    if (flag !== null) return { ...flag, nulls: plainWords };
  }
  if (profile.numbers.isAlive()) return guessNumber(profile, name, evidence, words);
  return { type: 'text', doubts: whyText(profile, name) };
}

function emptyColumn(profile: ColumnProfile): Guess {
  const words = [...profile.words].map(([word, { count }]) => `${JSON.stringify(word)} (${count})`);
  if (words.length === 0) return { type: 'text', doubts: ['no value in the sample: text takes whatever comes'] };
  return { type: 'text', doubts: [`only words for nothing in the sample: ${words.join(', ')}`] };
}

const TRUE_WORDS: ReadonlySet<string> = new Set(['t', 'true', 'y', 'yes', 'on']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['f', 'false', 'n', 'no', 'off']);
/** Pairs that PostgreSQL does not know. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['ja', 'nein'],
  ['j', 'n'],
  ['oui', 'non'],
  ['vrai', 'faux'],
  ['wahr', 'falsch'],
  ['si', 'no'],
  ['s\u00ed', 'no'],
  ['s', 'n'],
  ['sim', 'n\u00e3o'],
  ['tak', 'nie'],
  ['ja', 'nee'],
  ['ja', 'nej'],
];

function guessBoolean({ distinct, words }: ColumnProfile): Guess | null {
  const listed = distinct.listed;
  if (listed === null || listed.size > 6) return null;
  const texts = [...listed.values()].map(({ text }) => text);
  const lower = new Set(texts.map((text) => text.toLowerCase()));
  const all = (set: ReadonlySet<string>): boolean => [...lower].every((text) => set.has(text));
  if (
    all(new Set([...TRUE_WORDS, ...FALSE_WORDS, '0', '1'])) &&
    [...lower].some((text) => text !== '0' && text !== '1')
  ) {
    const both =
      [...lower].some((text) => TRUE_WORDS.has(text) || text === '1') &&
      [...lower].some((text) => FALSE_WORDS.has(text) || text === '0');
    if (both) return { type: 'boolean', doubts: [] };
    const word = JSON.stringify(texts[0] ?? '');
    if (lower.has('true') || lower.has('false')) return { type: 'boolean', doubts: [`only ${word} in the sample`] };
    return {
      type: 'text',
      doubts: [`only ${word} in the sample: perhaps a boolean${words.size === 0 ? '' : ', or a code'}`],
    };
  }
  const pair = PAIRS.find(([yes, no]) => lower.has(yes) && lower.has(no) && lower.size === 2);
  if (pair === undefined) return null;
  const side = (word: string): string[] => texts.filter((text) => text.toLowerCase() === word);
  return { type: 'boolean', trueValues: side(pair[0]), falseValues: side(pair[1]), doubts: [] };
}

/** Looks of texts that people take for numbers; the reason why they are none. */
const LOOKS: readonly (readonly [RegExp, string])[] = [
  [
    /^[-+]?[$\u20ac\u00a3\u00a5] ?[-+]?[\d.,]+$|^[-+]?[\d.,]+ ?[$\u20ac\u00a3\u00a5]$|^(?:[A-Z]{3}) ?[\d.,]+$|^[\d.,]+ ?(?:[A-Z]{3})$/,
    'amounts with a currency sign: text',
  ],
  [/^\([\d.,]+\)$/, 'numbers in brackets (negative?): text'],
  [/^[\d.,]+-$/, 'numbers with the minus sign behind: text'],
  [/^0x[0-9a-f]+$/i, 'hexadecimal numbers: text'],
  [/^v?\d+(?:\.\d+){2,}$/i, 'versions or addresses: text'],
  [/^(?:(?:19|20)\d\d[-/.]\d{1,2}|\d{1,2}[-/.](?:19|20)\d\d)$/, 'months without a day: text'],
  [/^[+(]?\d[\d\s()./-]{6,}$/, 'telephone numbers or the like: text'],
];

/** Three parts as of a date, whatever their order. */
const DATE_LIKE = /^(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2}))(?:$|[T ])/;

function whyText(profile: ColumnProfile, name: string): string[] {
  const { noNumber, noMoment, moments, examples, values, distinct } = profile;
  const quote = JSON.stringify;
  if (moments.clash !== null)
    return [
      `dates whose order differs: ${quote(moments.clash.first)} and ${quote(moments.clash.then)} fit no single format, so they stay text`,
    ];
  if (moments.tooMany) return [`dates or times in more than ${MOST_FORMS} forms side by side: text`];
  if (noMoment !== null && DATE_LIKE.test(noMoment.example) && examples.every((example) => DATE_LIKE.test(example)))
    return [
      `they look like dates, but ${quote(noMoment.example)} (line ${noMoment.line}) is no day of the calendar in any order that people write: text`,
    ];
  if (noMoment !== null && noMoment.after >= 2 && !moments.isAlive() && noMoment.after > (noNumber?.after ?? 0)) {
    return [
      `mixed: dates or times in the first ${noMoment.after} values, then ${quote(noMoment.example)} (line ${noMoment.line})`,
    ];
  }
  const look = LOOKS.find(([pattern]) => examples.length > 0 && examples.every((example) => pattern.test(example)));
  if (look !== undefined) return [look[1]];
  if (noNumber !== null && noNumber.after >= 2)
    return [
      `mixed: numbers in the first ${noNumber.after} values, then ${quote(noNumber.example)} (line ${noNumber.line})`,
    ];
  if (noNumber !== null && profile.looked >= 5 && profile.lookedNumeric >= profile.looked * 0.7) {
    return [
      `mixed: ${Math.round((100 * profile.lookedNumeric) / profile.looked)} % look like numbers, but not ${quote(noNumber.example)} (line ${noNumber.line})`,
    ];
  }
  const doubts: string[] = [];
  if (profile.padded > 0) doubts.push(`${profile.padded} values have blanks around them; trim: true drops these`);
  if (/^(is|has)_|flag$/i.test(name) && distinct.listed !== null && distinct.listed.size <= 2 && values > 10)
    doubts.push('a flag? true_values and false_values make it a boolean');
  return doubts;
}

/**
 * Values of a text column that are few enough to be a list, words that are not NULL and the empty string among them;
 * null otherwise.
 */
export function enumeration(
  { distinct, values, words, quotedEmpty }: ColumnProfile,
  nulls: readonly string[],
): readonly string[] | null {
  const { listed } = distinct;
  const kept = [...words].filter(([word]) => !nulls.includes(word));
  const all = values + kept.reduce((sum, [, { count }]) => sum + count, 0);
  if (
    listed === null ||
    listed.size + kept.length > Math.min(12, MOST_LISTED) ||
    all < 20 ||
    all < (listed.size + kept.length) * 5
  )
    return null;
  return [
    ...[...listed.values()].map(({ text }) => text),
    ...kept.map(([word]) => word),
    ...(quotedEmpty > 0 ? [''] : []),
  ];
}

/** No value twice, words that are values in a text column included; null = not known. */
export function isUnique(
  { distinct, words, quotedEmpty }: ColumnProfile,
  { type }: Guess,
  nulls: readonly string[],
): boolean | null {
  if (type !== 'text') return distinct.unique;
  const repeated = quotedEmpty > 1 || [...words].some(([word, { count }]) => count > 1 && !nulls.includes(word));
  return repeated ? false : distinct.unique;
}
