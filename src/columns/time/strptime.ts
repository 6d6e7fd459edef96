import { isBlank } from '../cell.js';
import { dateOf, dayNumber, daysInMonth, FIRST_DAY, isLeapYear, LAST_DAY, weekdayOf } from './calendar.js';
import { readEpoch, readFineEpoch } from './epoch.js';
import { readExcelSerial } from './excel-serial.js';
import { readIsoDateTime, readIsoTime, type ReadMoment } from './iso.js';
import {
  EXACT,
  NO_OFFSET,
  NO_SUCH_DAY,
  NO_SUCH_TIME,
  NO_SUCH_TIME_THERE,
  NOT_OF_FORM,
  readFraction,
  readOffset,
  WRONG_WEEKDAY,
  YEAR_OUT_OF_RANGE,
  type Moment,
} from './moment.js';
import { DIRECTIVES, isCount, MONTHS, parseFormat, WEEKDAYS, type Content, type Step } from './strptime-format.js';
import { IN_GAP, type TimeZone } from './time-zone.js';
import { foundZone, readZone } from './zone-names.js';

/** The reader of a column: ISO unless it has formats, which are tried in order. */
export function readerOf(
  { formats, locale }: { readonly formats: readonly string[]; readonly locale: string | null },
  content: Content,
): ReadMoment {
  if (formats.length > 0) return firstOf(formats.map((format) => readerOfOne(format, locale, content)));
  return content === 'time' ? readIsoTime : readIsoDateTime;
}

function readerOfOne(format: string, locale: string | null, content: Content): ReadMoment {
  if (!isCount(format)) return strptime(format, locale);
  switch (format) {
    case 'epoch_s':
      return (bytes, start, end, into) => readEpoch(bytes, start, end, 0, into);
    case 'epoch_ms':
      return (bytes, start, end, into) => readEpoch(bytes, start, end, 3, into);
    case 'epoch_us':
      return (bytes, start, end, into) => readFineEpoch(bytes, start, end, 6, into);
    case 'epoch_ns':
      return (bytes, start, end, into) => readFineEpoch(bytes, start, end, 9, into);
    case 'excel_serial':
      return (bytes, start, end, into) => readExcelSerial(bytes, start, end, into, content === 'time');
  }
}

/**
 * Compiles one `format` of a column. The format must be without problems (formatProblem); one with problems reads
 * nothing.
 */
function strptime(format: string, locale: string | null): ReadMoment {
  const steps = parseFormat(format, locale);
  if (steps === null) return () => NOT_OF_FORM;
  const fields = new Fields();
  return (bytes, start, end, into) => {
    fields.clear(into);
    let at = start;
    for (let i = 0; i < steps.length; i++) {
      at = take(steps[i]!, bytes, at, end, fields, into);
      if (at < 0) return fields.refusal;
    }
    return at === end ? fields.settle(into) : NOT_OF_FORM;
  };
}

/** Tries readers in order; when none fits, the refusal that says most (NOT_OF_FORM says least). */
function firstOf(readers: readonly ReadMoment[]): ReadMoment {
  const only = readers[0];
  if (readers.length === 1 && only !== undefined) return only;
  return (bytes, start, end, into) => {
    let refusal = NOT_OF_FORM;
    for (let i = 0; i < readers.length; i++) {
      const code = readers[i]!(bytes, start, end, into);
      if (code === 0) return 0;
      if (refusal === NOT_OF_FORM) refusal = code;
    }
    return refusal;
  };
}

const NONE = -1;

/** What the letters of one cell said. One object for all cells. */
class Fields {
  year = NONE;
  month = NONE;
  day = NONE;
  dayOfYear = NONE;
  weekday = NONE;
  hour = 0;
  minute = 0;
  second = 0;
  /** 0 = AM, 1 = PM. */
  half = NONE;
  /** hour is one of 12. */
  twelve = false;
  /** %s has filled the moment. */
  counted = false;
  /** Of the ISO week. */
  weekYear = NONE;
  week = NONE;
  /** 1 = Monday. */
  isoDay = NONE;
  /** %Z named a zone whose offset depends on the date. */
  zone: TimeZone | null = null;
  /** Why a step took nothing. */
  refusal = NOT_OF_FORM;

  clear(into: Moment): void {
    this.year = NONE;
    this.month = NONE;
    this.day = NONE;
    this.dayOfYear = NONE;
    this.weekday = NONE;
    this.hour = 0;
    this.minute = 0;
    this.second = 0;
    this.half = NONE;
    this.twelve = false;
    this.counted = false;
    this.weekYear = NONE;
    this.week = NONE;
    this.isoDay = NONE;
    this.zone = null;
    this.refusal = NOT_OF_FORM;
    into.day = 0;
    into.second = 0;
    into.micros = 0;
    into.beyond = EXACT;
    into.offset = NO_OFFSET;
    into.epoch = false;
  }

  /** Puts the fields together in the moment, if they name a day and a time that exist. */
  settle(into: Moment): number {
    if (this.counted) return 0;
    let { hour } = this;
    if (this.twelve) {
      if (hour < 1 || hour > 12) return NO_SUCH_TIME;
      hour = (hour % 12) + (this.half === 1 ? 12 : 0);
    }
    if (hour > 23 || this.minute > 59 || this.second > 59) return NO_SUCH_TIME;
    into.second = hour * 3600 + this.minute * 60 + this.second;
    if (this.weekYear !== NONE) {
      const refusal = this.#settleWeek(into);
      return refusal === 0 ? this.#settleZone(into) : refusal;
    }
    if (this.year === NONE) return 0;
    if (this.year === 0) return YEAR_OUT_OF_RANGE;
    if (this.dayOfYear === NONE) {
      // A format without a day: the first of the month.
      if (this.day === NONE) this.day = 1;
      if (this.month < 1 || this.month > 12 || this.day < 1 || this.day > daysInMonth(this.year, this.month))
        return NO_SUCH_DAY;
      into.day = dayNumber(this.year, this.month, this.day);
    } else {
      if (this.dayOfYear < 1 || this.dayOfYear > (isLeapYear(this.year) ? 366 : 365)) return NO_SUCH_DAY;
      into.day = dayNumber(this.year, 1, 1) + this.dayOfYear - 1;
    }
    const weekday = weekdayOf(into.day);
    if (this.weekday !== NONE && this.weekday !== weekday) return WRONG_WEEKDAY;
    if (this.isoDay !== NONE && (this.isoDay < 1 || this.isoDay > 7)) return NO_SUCH_DAY;
    if (this.isoDay !== NONE && this.isoDay % 7 !== weekday) return WRONG_WEEKDAY;
    return this.#settleZone(into);
  }

  /** The day of an ISO week, its Monday if none is named. */
  #settleWeek(into: Moment): number {
    const day = this.isoDay === NONE ? 1 : this.isoDay;
    if (this.weekYear === 0) return YEAR_OUT_OF_RANGE;
    if (this.week < 1 || this.week > 53 || day < 1 || day > 7) return NO_SUCH_DAY;
    // 4 January is always in the first week.
    const fourth = dayNumber(this.weekYear, 1, 4);
    const monday = fourth - ((weekdayOf(fourth) + 6) % 7) + (this.week - 1) * 7;
    if (Math.floor(dateOf(monday + 3) / 10_000) !== this.weekYear) return NO_SUCH_DAY;
    into.day = monday + day - 1;
    if (into.day < FIRST_DAY || into.day > LAST_DAY) return YEAR_OUT_OF_RANGE;
    return this.weekday === NONE || this.weekday === weekdayOf(into.day) ? 0 : WRONG_WEEKDAY;
  }

  #settleZone(into: Moment): number {
    if (this.zone === null) return 0;
    into.offset = this.zone.localOffset(into.day, into.second);
    return into.offset === IN_GAP ? NO_SUCH_TIME_THERE : 0;
  }
}

/** Takes one step from `at`. Returns the position behind what it took, or -1. */
function take(step: Step, bytes: Buffer, at: number, end: number, fields: Fields, into: Moment): number {
  switch (step.letter) {
    case 'literal':
      return at < end && bytes[at] === step.byte ? at + 1 : -1;
    case 'blank':
      return takeBlanks(bytes, at, end);
    case 'p':
      return takeHalf(bytes, at, end, fields);
    case 'b':
      fields.month = nameAt(MONTHS, bytes, at, end) + 1;
      return fields.month === 0 ? -1 : at + nameLength(MONTHS[fields.month - 1]!, bytes, at, end);
    case 'a':
      fields.weekday = nameAt(WEEKDAYS, bytes, at, end);
      return fields.weekday < 0 ? -1 : at + nameLength(WEEKDAYS[fields.weekday]!, bytes, at, end);
    case 'f': {
      const next = readFraction(bytes, at, end, into);
      return next === at ? -1 : next;
    }
    case 'z':
      return readOffset(bytes, at, end, into);
    case 'localMonth': {
      const next = takeName(step, bytes, at, end);
      fields.month = foundName + 1;
      return next;
    }
    case 'localDay': {
      const next = takeName(step, bytes, at, end);
      fields.weekday = foundName;
      return next;
    }
    case 'Z':
      return takeZone(bytes, at, end, fields, into);
    case 's':
      fields.counted = readEpoch(bytes, at, end, 0, into) === 0;
      return fields.counted ? end : -1;
    case 'Y':
    case 'y':
    case 'm':
    case 'd':
    case 'e':
    case 'j':
    case 'H':
    case 'I':
    case 'M':
    case 'S':
    case 'G':
    case 'V':
    case 'u':
      return takeNumber(step.letter, step.least, bytes, at, end, fields);
  }
}

type NumberLetter = 'Y' | 'y' | 'm' | 'd' | 'e' | 'j' | 'H' | 'I' | 'M' | 'S' | 'G' | 'V' | 'u';

function takeNumber(
  letter: NumberLetter,
  least: number,
  bytes: Buffer,
  start: number,
  end: number,
  fields: Fields,
): number {
  const { max } = DIRECTIVES[letter];
  // %e: a day below 10 may have a blank in front.
  let at = letter === 'e' && start < end && bytes[start] === 0x20 ? start + 1 : start;
  const stop = Math.min(end, start + max);
  const first = at;
  let value = 0;
  let digit = 0;
  while (at < stop && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9) {
    value = value * 10 + digit;
    at++;
  }
  if (at - first < (first > start ? 1 : least)) return -1;
  put(letter, value, fields);
  return at;
}

function put(letter: NumberLetter, value: number, fields: Fields): void {
  switch (letter) {
    case 'Y':
      fields.year = value;
      break;
    case 'y':
      fields.year = value < 69 ? 2000 + value : 1900 + value;
      break;
    case 'm':
      fields.month = value;
      break;
    case 'd':
    case 'e':
      fields.day = value;
      break;
    case 'j':
      fields.dayOfYear = value;
      break;
    case 'H':
      fields.hour = value;
      break;
    case 'I':
      fields.hour = value;
      fields.twelve = true;
      break;
    case 'M':
      fields.minute = value;
      break;
    case 'S':
      fields.second = value;
      break;
    case 'G':
      fields.weekYear = value;
      break;
    case 'V':
      fields.week = value;
      break;
    case 'u':
      fields.isoDay = value;
      break;
  }
}

function takeBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at > start ? at : -1;
}

/** Letters of either case compare equal after this; other bytes may change, but never into a letter. */
const lower = (byte: number): number => byte | 0x20;

function takeHalf(bytes: Buffer, at: number, end: number, fields: Fields): number {
  if (at + 2 > end || lower(bytes[at + 1]!) !== 0x6d) return -1;
  const first = lower(bytes[at]!);
  if (first !== 0x61 && first !== 0x70) return -1;
  fields.half = first === 0x70 ? 1 : 0;
  return at + 2;
}

/** Bytes of a name that are looked at: no month of any language is longer. */
const LONGEST_NAME = 64;
/** Which name takeName found; -1 = none. */
let foundName = NONE;

/** A name of the column's locale, and the point of an abbreviation unless the format has one of its own there. */
function takeName({ names, byte }: Step, bytes: Buffer, at: number, end: number): number {
  const text = bytes.toString('utf8', at, Math.min(end, at + LONGEST_NAME));
  const { index, length } = names?.find(text) ?? NO_NAME;
  foundName = index < 0 ? NONE : index;
  if (index < 0) return -1;
  const next = at + Buffer.byteLength(text.slice(0, length));
  // The format's own point comes next: then one alone is that.
  const point = next < end && bytes[next] === POINT && (byte !== POINT || bytes[next + 1] === POINT);
  return point ? next + 1 : next;
}

const POINT = 0x2e;

const NO_NAME = { index: NONE, length: 0 };

/** A name of a zone: one offset, or one that depends on the date. */
function takeZone(bytes: Buffer, at: number, end: number, fields: Fields, into: Moment): number {
  const next = readZone(bytes, at, end);
  if (next < 0) {
    if (foundZone.refusal !== 0) fields.refusal = foundZone.refusal;
    return -1;
  }
  fields.zone = foundZone.zone;
  if (foundZone.zone === null) into.offset = foundZone.offset;
  return next;
}

/** Which English name, or its first three letters, stands here, in any case; -1 = none. */
function nameAt(names: readonly Buffer[], bytes: Buffer, at: number, end: number): number {
  for (let index = 0; index < names.length; index++) if (common(names[index]!, bytes, at, end) >= 3) return index;
  return -1;
}

/** The whole name, else its first three letters. */
function nameLength(name: Buffer, bytes: Buffer, at: number, end: number): number {
  return common(name, bytes, at, end) === name.length ? name.length : 3;
}

/** How many letters of the (lower-case) name stand here. */
function common(name: Buffer, bytes: Buffer, at: number, end: number): number {
  let length = 0;
  while (length < name.length && at + length < end && lower(bytes[at + length]!) === name[length]) length++;
  return length;
}
