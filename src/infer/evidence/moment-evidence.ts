import { PLAIN_OPTIONS } from '../../columns/column-type.js';
import { pgTypeNamed } from '../../columns/type-name.js';
import { codecFor } from '../../columns/types/index.js';
import type { Codec, CopyBuffer } from '../../core/codec.js';
import { shapeOf, type Shape } from './date-shapes.js';

type Holds = Shape['holds'];

/** Values of one form, and the formats that every one of them fits. */
export interface MomentGroup {
  readonly key: string;
  /** The widest that was met. */
  holds: Holds;
  candidates: readonly Candidate[];
  count: number;
  readonly example: string;
}

export interface Candidate {
  /** `` = ISO 8601. */
  readonly format: string;
  /** Language of the names in it; null = English, or none. */
  readonly locale: string | null;
  /** Digits past microseconds are rounded: without that no value would fit. */
  readonly round: boolean;
  readonly codec: Codec;
  /**
   * The earliest and the latest value as this format reads them, in seconds since 2000, and how often a value was not
   * before the one above it, and not behind it.
   */
  least: number;
  most: number;
  rising: number;
  falling: number;
  last: number;
  /** Values on the first day of a month. */
  firsts: number;
}

/** More forms in one column are no column of dates, but of texts. */
export const MOST_FORMS = 3;
const OUT: CopyBuffer = { buf: Buffer.allocUnsafe(64), pos: 0 };
const WIDTH: Readonly<Record<Holds, number>> = { time: 0, date: 1, timestamp: 2, timestamptz: 3 };

/**
 * What the values of a column say about it as dates and times. A value counts for a format only when the real codec
 * takes it.
 */
export class MomentEvidence {
  /** Forms in the order in which they were met; null = a value is no date. */
  groups: MomentGroup[] | null = [];
  /** Two values of one form that no single format reads, such as 13/01/2024 and 01/13/2024. */
  clash: { readonly first: string; readonly then: string } | null = null;
  /** It ended because the values have more forms than a column of dates has. */
  tooMany = false;
  sawTime = false;
  sawZone = false;
  sawNoZone = false;

  isAlive(): boolean {
    return this.groups !== null;
  }

  /** One value, without blanks around it. */
  add(bytes: Buffer, start: number, end: number): void {
    const { groups } = this;
    if (groups === null) return;
    for (const group of groups) {
      if (group.key === 'iso') {
        const length = end - start;
        if (length > 10 && bytes[start + 10] !== 0x54 && bytes[start + 10] !== 0x20) continue;
      }
      if (this.#take(group, bytes, start, end)) return;
    }
    const text = bytes.toString('utf8', start, Math.min(end, start + 65));
    const shape = shapeOf(text);
    if (shape === null) {
      this.groups = null;
      return;
    }
    const same = groups.find((group) => group.key === shape.key);
    if (same !== undefined) {
      // Digits past microseconds came only now: the same formats, rounded.
      const rounded = FINE.test(text)
        ? same.candidates
            .filter(({ round }) => !round)
            .flatMap(({ format, locale }) => candidateOf(format, same.holds, true, locale))
        : [];
      if (rounded.length > 0) {
        same.candidates = rounded;
        if (this.#take(same, bytes, start, end)) return;
      }
      // The first names of months were English too: mar, sep.
      const local = candidatesOf(shape, FINE.test(text)).filter(
        (one) => one.locale !== null && reads(one, same.example),
      );
      if (local.length > 0) {
        same.candidates = local;
        if (this.#take(same, bytes, start, end)) return;
      }
      if (readable(shape, text)) this.clash = { first: same.example, then: text };
      this.groups = null;
      return;
    }
    const group: MomentGroup = {
      key: shape.key,
      holds: shape.holds,
      candidates: candidatesOf(shape, FINE.test(text)),
      count: 0,
      example: text,
    };
    this.tooMany = groups.length === MOST_FORMS;
    if (this.tooMany || !this.#take(group, bytes, start, end)) {
      this.groups = null;
      return;
    }
    groups.push(group);
  }

  #take(group: MomentGroup, bytes: Buffer, start: number, end: number): boolean {
    const { candidates } = group;
    let left: Candidate[] | null = null;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      OUT.pos = 0;
      if (candidate.codec.encode(bytes, start, end, OUT) === 0) {
        left?.push(candidate);
        if (candidates.length > 1) watch(candidate);
      } else {
        left ??= candidates.slice(0, i);
      }
    }
    if (left !== null) {
      if (left.length === 0) return false;
      group.candidates = left;
    }
    group.count++;
    if (group.key === 'iso') this.#iso(group, bytes, start, end);
    return true;
  }

  #iso(group: MomentGroup, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length <= 10) return;
    this.sawTime = true;
    // The offset begins with the first sign behind the minutes.
    let zone = bytes[end - 1] === 0x5a;
    for (let at = start + 16; at < end && !zone; at++) zone = bytes[at] === 0x2b || bytes[at] === 0x2d;
    if (zone) this.sawZone = true;
    else this.sawNoZone = true;
    const holds: Holds = this.sawZone ? 'timestamptz' : 'timestamp';
    if (WIDTH[holds] > WIDTH[group.holds]) group.holds = holds;
  }
}

/** Seconds from 1970 to 2000, from which PostgreSQL counts. */
const SINCE_2000 = 946_684_800;

/** Where the value stands that was just encoded: seconds since 2000 for timestamps. */
function watch(candidate: Candidate): void {
  const at = Number(OUT.buf.readBigInt64BE(4) / 1_000_000n);
  if (at < candidate.least) candidate.least = at;
  if (at > candidate.most) candidate.most = at;
  if (!(at < candidate.last)) candidate.rising++;
  if (!(at > candidate.last)) candidate.falling++;
  candidate.last = at;
  if (new Date((at + SINCE_2000) * 1_000).getUTCDate() === 1) candidate.firsts++;
}

/** Some format of the form reads the value. */
const readable = (shape: Shape, text: string): boolean => candidatesOf(shape, true).some((one) => reads(one, text));

/** Digits past microseconds. */
const FINE = /[.,]\d{7}/;

function candidatesOf({ formats, holds, locales }: Shape, round: boolean): Candidate[] {
  const all: readonly (string | null)[] = locales ?? [null];
  return all.flatMap((locale) => formats.flatMap((format) => candidateOf(format, holds, round, locale)));
}

function reads({ codec }: Candidate, text: string): boolean {
  const bytes = Buffer.from(text);
  OUT.pos = 0;
  return codec.encode(bytes, 0, bytes.length, OUT) === 0;
}

/** timestamptz takes what date and timestamp take, and an offset; a time of day needs its own type. */
function candidateOf(format: string, holds: Holds, round: boolean, locale: string | null = null): Candidate[] {
  const type = pgTypeNamed(holds === 'time' ? 'time' : 'timestamptz');
  const codec =
    type === null ? null : codecFor(type, { ...PLAIN_OPTIONS, formats: format === '' ? [] : [format], locale, round });
  if (codec === null) return [];
  const order = { least: Infinity, most: -Infinity, rising: 0, falling: 0, last: Number.NaN, firsts: 0 };
  return [{ format, locale, round, codec, ...order }];
}

/** The widest of the column's forms. */
export function widest(groups: readonly MomentGroup[]): Holds {
  return groups.reduce<Holds>(
    (wide, { holds }) => (WIDTH[holds] > WIDTH[wide] ? holds : wide),
    groups[0]?.holds ?? 'date',
  );
}
