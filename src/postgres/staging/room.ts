import { lengthLimit, numericLimits, parseTypeName, type TypeName } from '../../columns/type-name.js';
import type { PgType } from '../../core/codec.js';
import { FAMILIES } from './type-fit.js';

/** Keys of a contract's column that say which values it takes, beside its type. */
export interface ContractValues {
  readonly min: string | null;
  readonly max: string | null;
  readonly minLength: number | null;
  readonly maxLength: number | null;
  readonly formats: readonly string[];
  /** The key `enum`. */
  readonly words: readonly string[] | null;
}

/**
 * Has the real column room for each value that the contract takes, so that none is refused and none is changed? Types
 * are of families that fit (type-fit.ts). A column of text takes every type; a contract of text over another type means
 * the words of that type, and what is none is a refused row.
 */
export function hasRoom(contractType: string, values: ContractValues, real: PgType): boolean {
  const contract = parseTypeName(contractType);
  if (contract === null) return true;
  const family = FAMILIES[real.typname];
  if (family === 'text') return textRoom(contract, values, real);
  if (isText(contract.typname)) return true;
  if (family === 'number') return numberRoom(contract, values, real);
  if (family === 'date' || family === 'time') return timeRoom(contract, values, real);
  // What json takes (a key twice, NUL as \u0000) jsonb changes or refuses.
  return !(contract.typname === 'json' && real.typname === 'jsonb');
}

/** A type for the ALTER: the contract's, and of decimals what both of them have room for. */
export function roomFor(contractType: string, real: PgType): string {
  const [contract, own] = [parseTypeName(contractType), numericLimits(real.typmod)];
  const limits = contract?.typname === 'numeric' ? numericLimits(contract.typmod) : null;
  if (limits === null || own === null || real.typname !== 'numeric') return contract?.canonical ?? contractType;
  const scale = Math.max(limits.scale, own.scale);
  const whole = Math.max(limits.precision - limits.scale, own.precision - own.scale);
  return `numeric(${whole + scale},${scale})`;
}

const isText = (typname: string): boolean => FAMILIES[typname] === 'text';

/** Most characters of a value of a type in its usual form; others have no such bound. */
const CHARACTERS: Readonly<Record<string, number>> = {
  int2: 6,
  int4: 11,
  int8: 20,
  bool: 5,
  uuid: 36,
  date: 10,
  time: 15,
  timestamp: 26,
  timestamptz: 32,
};

function textRoom(contract: TypeName, values: ContractValues, real: PgType): boolean {
  const most = mostCharacters(contract, values);
  // name counts bytes, of which a character has up to four.
  if (real.typname === 'name') return most * 4 <= 63;
  const limit = real.typname === 'varchar' || real.typname === 'bpchar' ? lengthLimit(real.typmod) : null;
  if (limit === null) return true;
  if (real.typname === 'varchar' || contract.typname === 'bpchar') return most <= limit;
  // char(n) fills up with blanks: only a text of n characters comes back as it was.
  const least = values.words === null ? (values.minLength ?? 0) : Math.min(...values.words.map(characters));
  return most <= limit && least >= limit;
}

function mostCharacters(contract: TypeName, { maxLength, words }: ContractValues): number {
  const byType = isText(contract.typname)
    ? ((contract.typname === 'text' ? null : lengthLimit(contract.typmod)) ?? Infinity)
    : contract.typname === 'numeric'
      ? (numericLimits(contract.typmod)?.precision ?? Infinity) + 3
      : (CHARACTERS[contract.typname] ?? Infinity);
  return Math.min(byType, maxLength ?? Infinity, words === null ? Infinity : Math.max(...words.map(characters)));
}

const characters = (text: string): number => Array.from(text).length;

const INTEGERS: Readonly<Record<string, { readonly rank: number; readonly digits: number; readonly most: number }>> = {
  int2: { rank: 1, digits: 5, most: 2 ** 15 - 1 },
  int4: { rank: 2, digits: 10, most: 2 ** 31 - 1 },
  int8: { rank: 3, digits: 19, most: Number.MAX_SAFE_INTEGER },
};
/** Whole numbers up to 2^bits are exact, and so are decimals of so many digits. */
const FLOATS: Readonly<Record<string, { readonly bits: number; readonly digits: number }>> = {
  float4: { bits: 24, digits: 6 },
  float8: { bits: 53, digits: 15 },
};

/** Most digits before and behind the point. */
function digitsOf({ typname, typmod }: Pick<PgType, 'typname' | 'typmod'>): {
  readonly whole: number;
  readonly scale: number;
} {
  const integer = INTEGERS[typname];
  if (integer !== undefined) return { whole: integer.digits, scale: 0 };
  const limits = typname === 'numeric' ? numericLimits(typmod) : null;
  return limits === null
    ? { whole: Infinity, scale: Infinity }
    : { whole: limits.precision - limits.scale, scale: limits.scale };
}

function numberRoom(contract: TypeName, { min, max }: ContractValues, real: PgType): boolean {
  const [least, most] = [bound(min, -Infinity), bound(max, Infinity)];
  const size = Math.max(Math.abs(least), Math.abs(most));
  const { scale, whole: byType } = digitsOf(contract);
  const whole = Math.min(byType, size < 1 ? 0 : Math.floor(Math.log10(size)) + 1);
  const float = FLOATS[real.typname];
  if (float !== undefined) {
    const own = FLOATS[contract.typname];
    if (own !== undefined) return own.bits <= float.bits;
    return whole + Math.max(0, scale) <= float.digits || (scale <= 0 && size <= 2 ** float.bits);
  }
  // NaN and Infinity go into no other type.
  if (FLOATS[contract.typname] !== undefined) return false;
  const integer = INTEGERS[real.typname];
  if (integer === undefined) {
    const room = digitsOf(real);
    return whole <= room.whole && scale <= room.scale;
  }
  const rank = INTEGERS[contract.typname]?.rank ?? Infinity;
  const inside = least >= -integer.most - 1 && most <= integer.most;
  return scale <= 0 && (rank <= integer.rank || whole < integer.digits || inside);
}

const bound = (text: string | null, none: number): number => {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? none : value;
};

/** Into what the values of a contract's type go whole. A time zone cannot be left out, a time of day neither. */
const TIMES: Readonly<Record<string, readonly string[]>> = {
  date: ['date', 'timestamp', 'timestamptz'],
  time: ['time'],
  timestamp: ['timestamp', 'timestamptz'],
  timestamptz: ['timestamptz'],
};

function timeRoom(contract: TypeName, { formats }: ContractValues, real: PgType): boolean {
  if (TIMES[contract.typname]?.includes(real.typname) !== true) return false;
  if (contract.typname === 'date') return true;
  const precision = (typmod: number): number => (typmod < 0 ? 6 : typmod);
  const written = formats.length === 0 ? 6 : Math.max(...formats.map(decimalsOf));
  return Math.min(precision(contract.typmod), written) <= precision(real.typmod);
}

/** Decimals of a second that a format reads. */
function decimalsOf(format: string): number {
  if (format === 'epoch_ms') return 3;
  return format.startsWith('epoch') || format.includes('%f') ? 6 : 0;
}
