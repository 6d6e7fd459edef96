import { COMMON, PAIRS } from './letters.js';

/**
 * How likely it is that people write a text: in bits, the fewer the likelier. Only what is not ASCII costs something,
 * and what stands beside it: the rest reads the same in all encodings that are compared.
 */
export interface Reading {
  readonly cost: number;
  /** The language that its words look like; null = it has no words, only signs. */
  readonly language: string | null;
}

interface Language {
  readonly name: string;
  readonly pairs: ReadonlyMap<string, number>;
  readonly letters: ReadonlySet<string>;
  /** Its words are Latin letters, ASCII ones among them. */
  readonly latin: boolean;
}

type CjkName = keyof typeof COMMON;

/** A letter of the language behind one that it does not follow in what was counted. */
const RARE = 11;
/** A letter that the language does not have. */
const FOREIGN = 19;
/** An ASCII letter, or the end of the word, behind a letter that it does not follow in what was counted. */
const RARE_ASCII = 7;
/** A capital behind a small letter. */
const CASE = 9;
/** Words of another language among those of the one. */
const EXCURSION = 7;
/** Bits for languages that few tables are written in. */
const FEW_TABLES: ReadonlyMap<string, number> = new Map([
  ['Icelandic', 6],
  ['Irish', 6],
  ['Albanian', 6],
  ['Catalan', 3],
  ['Vietnamese', 4],
]);

let languages: readonly Language[] | null = null;

function allLanguages(): readonly Language[] {
  languages ??= Object.entries(PAIRS).map(([name, lines]) => {
    const pairs = new Map<string, number>();
    const letters = new Set<string>();
    for (const [index, level] of lines.join('').split('|').entries())
      for (let at = 0; at + 1 < level.length; at += 2) {
        pairs.set(level.slice(at, at + 2), index + 1);
        for (const letter of level.slice(at, at + 2)) if (letter > '\x7f') letters.add(letter);
      }
    return { name, pairs, letters, latin: [...letters].some((letter) => /\p{Script=Latin}/u.test(letter)) };
  });
  return languages;
}

/** A text in an encoding of one byte a character. */
export function readWords(text: string): Reading {
  const { words, cost } = takenApart(text);
  if (words.length === 0) return { cost, language: null };
  const all = allLanguages();
  const table = words.map((word) => {
    const written = casePenalty(word);
    const small = word.toLowerCase();
    return all.map((language) => written + wordCost(language, small));
  });
  let best = { cost: Infinity, language: '' };
  for (const [index, { name }] of all.entries()) {
    const sum = table.reduce((total, costs) => total + Math.min(costs[index]!, Math.min(...costs) + EXCURSION), 0);
    const total = sum + (FEW_TABLES.get(name) ?? 0);
    if (total < best.cost) best = { cost: total, language: name };
  }
  return { cost: cost + best.cost, language: best.language };
}

function wordCost({ pairs, letters, latin }: Language, word: string): number {
  let cost = 0;
  let before = ' ';
  for (const letter of `${word} `) {
    // Nobody mixes scripts within a word.
    const mixed = !latin && before !== ' ' && letter !== ' ' && before > '\x7f' !== letter > '\x7f';
    if (mixed) cost += FOREIGN;
    else if (letter > '\x7f') cost += pairs.get(before + letter) ?? (letters.has(letter) ? RARE : FOREIGN);
    else if (before > '\x7f') cost += pairs.get(before + letter) ?? RARE_ASCII;
    before = letter;
  }
  return cost;
}

/** Words are written small, with a capital in front, or in capitals. */
function casePenalty(word: string): number {
  let cost = 0;
  let before = '';
  let capitals = 0;
  for (const letter of word) {
    const upper = isUpper(letter);
    if (upper && isLower(before) && (letter > '\x7f' || before > '\x7f')) cost += CASE;
    if (!upper && capitals > 1 && isLower(letter) && (letter > '\x7f' || before > '\x7f')) cost += CASE;
    capitals = upper ? capitals + 1 : 0;
    before = letter;
  }
  return cost;
}

const isUpper = (letter: string): boolean => letter !== letter.toLowerCase();
const isLower = (letter: string): boolean => letter !== letter.toUpperCase();

/** Words with letters above ASCII, and what the signs above ASCII cost. */
function takenApart(text: string): { readonly words: readonly string[]; readonly cost: number } {
  const words: string[] = [];
  let cost = 0;
  for (const { 0: found, index } of text.matchAll(/(?:(?![ªº])[\p{L}\p{M}])+|[^\0-\x7f]/gu)) {
    if (!/^(?![ªº])[\p{L}\p{M}]/u.test(found)) cost += signCost(found, text, index);
    else if (/[^\0-\x7f]/.test(found)) words.push(found);
  }
  return { words, cost };
}

const isLetter = (character: string): boolean => /^[\p{L}\p{M}]/u.test(character);

/** What a sign costs beside a letter, and between two. */
const BESIDE = 17;
const BETWEEN = 22;

/** A sign where people write it costs some bits, elsewhere more. */
function signCost(sign: string, text: string, at: number): number {
  const before = text.charAt(at - 1);
  const behind = text.charAt(at + sign.length);
  const stray = isLetter(before) && isLetter(behind) ? BETWEEN : isLetter(before) || isLetter(behind) ? BESIDE : 0;
  if ('€£¥°½¼¾±µ×'.includes(sign)) return Math.max(stray, sign === '€' || sign === '°' ? 6 : 8);
  if (sign === '’' && stray === BETWEEN) return isElision(text, at) ? 5 : BESIDE;
  if ('’”»›'.includes(sign)) return isLetter(behind) ? Math.max(stray, BESIDE) : 8;
  if ('‘“„‚«‹'.includes(sign)) return isLetter(before) ? Math.max(stray, BESIDE) : 8;
  if ('–—'.includes(sign)) return stray > 0 ? stray : 7;
  if (sign === '…') return stray === BETWEEN ? stray : isLetter(behind) ? BESIDE : stray > 0 ? 11 : 8;
  if (sign === 'º' || sign === 'ª') return /^[\d.nN]/.test(before) ? 6 : BESIDE;
  if ('²³'.includes(sign)) return /^[mM]/.test(before) && !isLetter(behind) ? 6 : BESIDE;
  if ('®©™'.includes(sign)) return isLetter(behind) ? BETWEEN : 8;
  if ('§•·¿¡№'.includes(sign)) return stray === BETWEEN ? stray : 9;
  if (sign === '\u00a0') return stray === BETWEEN ? 12 : 8;
  const code = sign.codePointAt(0) ?? 0;
  if (code === 0xfffd) return 34;
  if (code < 0xa0) return 26;
  if (code >= 0xe000 && code < 0xf900) return 28;
  return stray === BETWEEN ? stray : BESIDE;
}

/** `l’eau`, `don’t`: few letters on one side of the sign. */
const isElision = (text: string, at: number): boolean =>
  /(?:^|[^\p{L}])\p{L}{1,2}$/u.test(text.slice(Math.max(0, at - 3), at)) ||
  /^\p{L}{1,2}(?:$|[^\p{L}])/u.test(text.slice(at + 1, at + 4));

/** What a character costs in a text of several bytes a character. `ordinary`: the standard's first level has it. */
export function readCjk(text: string, name: CjkName, ordinary: (character: string) => boolean): Reading {
  const common = commonOf(name);
  let cost = 0;
  for (const { 0: run, index } of text.matchAll(/[^\0-\x7f]+/gu)) {
    const before = text.charAt(index - 1);
    const behind = text.charAt(index + run.length);
    for (const character of run) cost += cjkCost(character, name, common, ordinary);
    // One alone between Latin letters is what accents give.
    if (/[a-z]/i.test(before)) cost += 8;
    if (/[a-z]/i.test(behind)) cost += 8;
  }
  return { cost, language: name === 'Taiwanese' ? 'Chinese' : name };
}

const commons = new Map<CjkName, ReadonlySet<string>>();

function commonOf(name: CjkName): ReadonlySet<string> {
  const found = commons.get(name) ?? new Set(COMMON[name].join(''));
  commons.set(name, found);
  return found;
}

function cjkCost(
  character: string,
  name: CjkName,
  common: ReadonlySet<string>,
  ordinary: (character: string) => boolean,
): number {
  if (common.has(character)) return 9;
  if (/[\u3040-\u30ff]/.test(character)) return name === 'Japanese' ? 6 : 17;
  if (/[、。，．・：（）「」『』〒～\u3000％－]/.test(character)) return 8;
  if (/[\uff01-\uff5e]/.test(character)) return 9;
  if (/[\uff61-\uff9f]/.test(character)) return 9;
  if (/\p{Script=Hangul}/u.test(character)) return name === 'Korean' ? (ordinary(character) ? 14 : 20) : 20;
  if (/\p{Script=Han}/u.test(character)) return name === 'Korean' ? 17 : ordinary(character) ? 14 : 20;
  const code = character.codePointAt(0) ?? 0;
  if (code === 0xfffd) return 40;
  if (code >= 0xe000 && code < 0xf900) return 30;
  return /[\p{L}\p{M}]/u.test(character) ? 18 : 15;
}
