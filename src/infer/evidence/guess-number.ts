import type { Evidence, Guess } from './column-guess.js';
import { isInfinite, isNan } from './null-words.js';
import { STYLES, type NumberEvidence, type NumberStyle } from './number-evidence.js';
import type { ColumnProfile } from './profile.js';

/** Digits that a double keeps for sure. */
const DOUBLE_DIGITS = 15;
/** Precisions that are offered: room for numbers to grow, and few enough to be read. */
const PRECISIONS = [12, 18, 24, 38];
/** More decimals than these, and not always as many, are measurements: no scale holds the next file. */
const MOST_SCALE = 6;

/**
 * Numbers: the narrowest type with room to grow. `words`: what stands in the column for nothing, or for no finite
 * number.
 */
export function guessNumber(profile: ColumnProfile, name: string, evidence: Evidence, words: readonly string[]): Guess {
  const { numbers } = profile;
  const infinite = words.filter(isInfinite);
  const nulls = words.filter((word) => !isInfinite(word));
  const quote = JSON.stringify;
  if (numbers.leadingZero !== null)
    return { type: 'text', doubts: [`leading zeros (${quote(numbers.leadingZero)}): a number would lose them`] };
  if (numbers.plus !== null)
    return {
      type: 'text',
      doubts: [`a plus sign in front (${quote(numbers.plus)}): telephone numbers? A number would lose it`],
    };
  const against = numbers.affixes?.against(profile.values) ?? null;
  if (against !== null) return { type: 'text', doubts: [against] };
  const { style, doubts } = chooseStyle(numbers, evidence);
  const { doubts: signs = [], ...signKeys } = numbers.affixes?.keys(profile.values) ?? {};
  doubts.push(...signs);
  const digits = style.decimal === '.' ? numbers.point : numbers.comma;
  const written = {
    ...(style.decimal === '.' ? {} : { decimal: style.decimal }),
    ...(style.thousands === null
      ? {}
      : { thousands: style.thousands === ' ' ? (numbers.groupBlank ?? ' ') : style.thousands }),
    ...signKeys,
  };

  if (infinite.length > 0 || nulls.some(isNan)) {
    const floating = digits.most > 0 || numbers.exponent || infinite.length > 0;
    if (floating && digits.significant <= DOUBLE_DIGITS + 2) {
      const special = [...infinite, ...nulls.filter(isNan)];
      return {
        type: 'double precision',
        ...written,
        nulls: nulls.filter((word) => !isNan(word)),
        doubts: [
          ...doubts,
          `${special.map((word) => quote(word)).join(', ')}: only double precision holds it. ` +
            'If it means "no value", take numeric and list it under format.nulls (which JSON does not have)',
        ],
      };
    }
    if (infinite.length > 0) return { type: 'text', doubts: [`mixed: numbers, and ${quote(infinite[0])}`] };
  }
  if (/version|release/i.test(name) && digits.most > 0 && digits.least !== digits.most)
    return { type: 'text', doubts: [`versions? As a number 1.10 would be 1.1`] };
  if (numbers.paddedZero !== null && numbers.affixes === null && digits.least < digits.most)
    doubts.push(
      `${quote(numbers.paddedZero)} ends in a zero and others do not: if these are versions or section numbers, make it text`,
    );
  if (numbers.exponent) {
    doubts.push('exponents: measured or computed values. If they are codes (12E4), make it text');
    return {
      type: digits.significant <= DOUBLE_DIGITS + 4 ? 'double precision' : 'numeric',
      ...written,
      nulls,
      doubts,
    };
  }
  if (digits.most === 0)
    return {
      ...whole(profile, digits.whole),
      ...written,
      nulls,
      doubts: [...doubts, ...whole(profile, digits.whole).doubts],
    };
  if (digits.most > MOST_SCALE && digits.least !== digits.most) return { type: 'numeric', ...written, nulls, doubts };
  const scale = Math.max(2, digits.most);
  const precision = PRECISIONS.find((most) => most >= digits.whole + 2 + scale);
  return { type: precision === undefined ? 'numeric' : `numeric(${precision},${scale})`, ...written, nulls, doubts };
}

/** Room: a bigint where an integer would be half used up. */
function whole(
  { numbers, distinct, values, examples }: ColumnProfile,
  digits: number,
): { readonly type: string; readonly doubts: readonly string[] } {
  if (digits <= 9) {
    const texts = distinct.listed === null ? [] : [...distinct.listed.values()].map(({ text }) => text);
    const flag = texts.length === 2 && texts.every((text) => text === '0' || text === '1');
    return { type: 'integer', doubts: flag ? ['only 0 and 1 in the sample: perhaps boolean'] : [] };
  }
  if (digits <= 18) return { type: 'bigint', doubts: [] };
  // From 1990 to 2100.
  const nanoseconds = examples.every((text) => /^(?:6[3-9]|[7-9]\d|[1-3]\d\d|40\d)\d{16}$/.test(text))
    ? ', or nanoseconds since 1970 (type: timestamptz, format: epoch_ns)'
    : '';
  if (values > 1 && numbers.fewestDigits === digits && !numbers.negative)
    return { type: 'text', doubts: [`always ${digits} digits, more than bigint holds: an identifier${nanoseconds}`] };
  return {
    type: digits <= 36 ? 'numeric(38,0)' : 'numeric',
    doubts: ['more digits than bigint holds. If these are identifiers, make it text'],
  };
}

/** The plainest of the styles that all values fit, unless the rest of the file says otherwise. */
function chooseStyle(
  numbers: NumberEvidence,
  { commaDecimals, semicolons }: Evidence,
): { readonly style: NumberStyle; readonly doubts: string[] } {
  const fitting = numbers.styles.map((index) => STYLES[index]!);
  const first = fitting[0]!;
  const find = (decimal: string, thousands: string | null): NumberStyle | undefined =>
    fitting.find((style) => style.decimal === decimal && style.thousands === thousands);
  if (numbers.separators === 0) return { style: first, doubts: [] };
  const asThousands = find('.', ',');
  const asDecimals = find(',', null);
  if (find('.', null) === undefined && asThousands !== undefined && asDecimals !== undefined) {
    const comma = commaDecimals ?? (semicolons ? true : !numbers.onlyThrees);
    const doubt = `the comma: of decimals or of thousands? Taken for ${comma ? 'decimals' : 'thousands'}${commaDecimals !== null ? ', as in other columns' : semicolons ? ', as it goes with the delimiter ;' : ', for always three digits follow'}`;
    return { style: comma ? asDecimals : asThousands, doubts: [doubt] };
  }
  const groups = find(',', '.');
  if (
    numbers.onlyThrees &&
    find('.', null) !== undefined &&
    groups !== undefined &&
    (commaDecimals === true || semicolons)
  ) {
    if (commaDecimals === true)
      return { style: groups, doubts: ['the point: taken for thousands, as other columns have a decimal comma'] };
    return {
      style: first,
      doubts: [
        'the point: of decimals or of thousands? Always three digits follow it. thousands: "." with decimal: "," reads the latter',
      ],
    };
  }
  return { style: first, doubts: [] };
}
