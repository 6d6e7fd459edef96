import { NEGATIVE_FORMS, type NegativeForm } from '../../core/feed/columns.js';
import type { Guess } from './column-guess.js';

/** Signs around a number as people write them, beside a plain sign in front. */
interface Affixes {
  /** The number between them, without a sign. */
  readonly core: string;
  readonly negative: NegativeForm | null;
  /** The minus sign is U+2212. */
  readonly printed: boolean;
  readonly currency: string | null;
  readonly percent: boolean;
}

/** Words that stand for money everywhere; other words behind a number are units. */
const CODES = [
  'USD|EUR|GBP|JPY|CNY|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|INR|BRL|MXN|AUD|CAD|NZD|SGD|HKD|ZAR|KRW',
  'ILS|THB|AED|SAR|kr\\.?|K\u010d|z\u0142|Ft|Fr\\.',
].join('|');
const DOLLARS = '(?:US|A|C|NZ|HK|S|R|NT|MX)\\$';
const CURRENCY = new RegExp(`^(?:${DOLLARS}|\\p{Sc}|(?:${CODES}|Rs\\.?)(?!\\p{L}))`, 'u');
const CURRENCY_BEHIND = new RegExp(`(?:\\p{Sc}|(?<!\\p{L})(?:${CODES}))$`, 'u');
const BLANKS_BEFORE = /^[ \u00a0\u2007\u2009\u202f]+/;
const BLANKS_BEHIND = /[ \u00a0\u2007\u2009\u202f]+$/;
/** Longest text that is looked at. */
const LONGEST = 60;

/** What stands around the number; null = nothing of the kind, or no number. The load's codec has the last word. */
export function affixesOf(text: string): Affixes | null {
  // `5,-` is five and no cents, and no column reads it.
  if (text.length > LONGEST || !/\d/.test(text) || /[.,][-\u2212]/.test(text)) return null;
  const found: { negative: NegativeForm | null; printed: boolean; currency: string | null; percent: number } = {
    negative: null,
    printed: false,
    currency: null,
    percent: 0,
  };
  let rest = text;
  let opened = false;
  for (;;) {
    rest = rest.replace(BLANKS_BEFORE, '');
    const sign = CURRENCY.exec(rest)?.[0];
    if (/^[-\u2212]/.test(rest) && found.negative === null) {
      found.negative = 'minus';
      found.printed = rest.startsWith('\u2212');
      rest = rest.slice(1);
    } else if (rest.startsWith('(') && found.negative === null) {
      found.negative = 'parentheses';
      opened = true;
      rest = rest.slice(1);
    } else if (rest.startsWith('%')) {
      found.percent++;
      rest = rest.slice(1);
    } else if (sign !== undefined && found.currency === null) {
      found.currency = sign;
      rest = rest.slice(sign.length);
    } else break;
  }
  for (;;) {
    rest = rest.replace(BLANKS_BEHIND, '');
    const sign = CURRENCY_BEHIND.exec(rest)?.[0];
    if (/[-\u2212]$/.test(rest) && found.negative === null) {
      found.negative = 'trailing_minus';
      found.printed = rest.endsWith('\u2212');
      rest = rest.slice(0, -1);
    } else if (rest.endsWith(')') && opened) {
      opened = false;
      rest = rest.slice(0, -1);
    } else if (rest.endsWith('%')) {
      found.percent++;
      rest = rest.slice(0, -1);
    } else if (sign !== undefined && found.currency === null) {
      found.currency = sign;
      rest = rest.slice(0, -sign.length);
    } else break;
  }
  if (opened || found.percent > 1 || !/^[\d.,]/.test(rest)) return null;
  return { core: rest, ...found, percent: found.percent === 1 };
}

/** How often which signs stood in a column. */
export class AffixCounts {
  readonly #negative = new Map<NegativeForm, number>();
  readonly #currency = new Map<string, number>();
  #printed = 0;
  #percent = 0;
  #example = '';

  add(text: string, { negative, printed, currency, percent }: Affixes): void {
    if (negative !== null) this.#negative.set(negative, (this.#negative.get(negative) ?? 0) + 1);
    if (currency !== null) this.#currency.set(currency, (this.#currency.get(currency) ?? 0) + 1);
    if (printed) this.#printed++;
    if (percent) {
      this.#percent++;
      if (this.#example === '') this.#example = text;
    }
  }

  /** Why the values are more likely no numbers at all, of `values`; null = nothing speaks against it. */
  against(values: number): string | null {
    if (this.#negative.get('parentheses') === values)
      return 'every value stands in parentheses: if they are amounts below zero, numeric with negative: [parentheses]';
    return this.#negative.get('trailing_minus') === values
      ? 'every value ends in a dash: if they are amounts below zero, numeric with negative: [trailing_minus]'
      : null;
  }

  /** The keys that read the values, and what they pass over. */
  keys(values: number): Pick<Guess, 'negative' | 'currency' | 'percent'> & { readonly doubts: readonly string[] } {
    const doubts: string[] = [];
    const behind = this.#negative.get('trailing_minus') ?? 0;
    const brackets = this.#negative.get('parentheses') ?? 0;
    if (brackets > 0) doubts.push(`${brackets} in parentheses, read as below zero`);
    if (behind > 0) doubts.push(`${behind} with the minus sign behind`);
    if (this.#printed > 0) doubts.push(`${this.#printed} with U+2212 for the minus sign`);
    const signs = [...this.#currency].sort((a, b) => b[1] - a[1]);
    const money = signs.reduce((sum, [, count]) => sum + count, 0);
    if (money > 0) {
      const told = signs.map(([sign, count]) => `${count} with ${sign}`).join(', ');
      doubts.push(
        signs.length > 1
          ? `${told}: the numbers do not keep which; if that matters, make it text`
          : money < values
            ? `${told}, ${values - money} without`
            : told,
      );
    }
    if (this.#percent > 0) {
      const some = this.#percent < values ? `${this.#percent} of ${values}` : String(this.#percent);
      const example = JSON.stringify(this.#example);
      doubts.push(
        `${some} with a percent sign, which is dropped (${example}): percent: divide makes hundredths of them`,
      );
    }
    const forms = NEGATIVE_FORMS.filter((form) => form === 'minus' || (this.#negative.get(form) ?? 0) > 0);
    return {
      ...(brackets + behind + this.#printed > 0 ? { negative: forms } : {}),
      ...(signs.length > 0 ? { currency: signs.map(([sign]) => sign) } : {}),
      ...(this.#percent > 0 ? { percent: 'keep' as const } : {}),
      doubts,
    };
  }
}
