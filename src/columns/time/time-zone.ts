import { FIRST_DAY, LAST_DAY, SECONDS_A_DAY, UNIX_DAY } from './calendar.js';

/** localOffset: no such local time (clocks were put forward over it). */
export const IN_GAP = 1_000_000;

/** Days whose offset is found out together: about three years; one page costs some 2 ms of Intl calls, once. */
const PAGE_BITS = 10;
const PAGE_DAYS = 1 << PAGE_BITS;
/** Conversions reach a day beyond the calendar's ends. */
const ORIGIN = FIRST_DAY - PAGE_DAYS;
const PAGES = ((LAST_DAY - ORIGIN) >> PAGE_BITS) + 2;
/** In a page: a transition is near; look into the segments. */
const NEAR_TRANSITION = 2_000_000;

/** A stretch of time with one offset; `from` in seconds since 2000-01-01 UTC, up to the next one's. */
interface Segment {
  readonly from: number;
  readonly offset: number;
}

interface Page {
  /**
   * For each day its offset in seconds, valid for every local time and every UTC time of that day; or NEAR_TRANSITION.
   */
  readonly offsets: Int32Array;
  readonly segments: readonly Segment[];
}

/**
 * One IANA zone. The rules are Intl's (the tzdata that Node carries); its calls cost a microsecond or more, so that
 * they are made once a page of days and the row loop only indexes an array.
 */
export class TimeZone {
  readonly name: string;
  readonly #utc: boolean;
  readonly #format: Intl.DateTimeFormat;
  readonly #pages = new Array<Page | null>(PAGES).fill(null);

  /** Throws RangeError when there is no such zone. */
  constructor(name: string) {
    this.name = name;
    this.#utc = name === 'UTC' || name === 'Etc/UTC';
    this.#format = new Intl.DateTimeFormat('en-US-u-nu-latn', {
      timeZone: name,
      hourCycle: 'h23',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  }

  /** Seconds east of UTC at a local time: the earlier instant where it exists twice, IN_GAP where it does not. */
  localOffset(day: number, second: number): number {
    if (this.#utc) return 0;
    const page = this.#page(day);
    const offset = page.offsets[(day - ORIGIN) & (PAGE_DAYS - 1)]!;
    return offset === NEAR_TRANSITION ? localOffset(page.segments, day * SECONDS_A_DAY + second) : offset;
  }

  /** Seconds east of UTC at an instant, given in UTC. */
  instantOffset(day: number, second: number): number {
    if (this.#utc) return 0;
    const page = this.#page(day);
    const offset = page.offsets[(day - ORIGIN) & (PAGE_DAYS - 1)]!;
    return offset === NEAR_TRANSITION ? segmentAt(page.segments, day * SECONDS_A_DAY + second).offset : offset;
  }

  #page(day: number): Page {
    const index = (day - ORIGIN) >> PAGE_BITS;
    const known = this.#pages[index] ?? null;
    if (known !== null) return known;
    const page = this.#build(ORIGIN + index * PAGE_DAYS);
    this.#pages[index] = page;
    return page;
  }

  #build(firstDay: number): Page {
    // Offsets are less than a day, so a local or UTC day touches at most the UTC days before and behind it.
    const segments = this.#segments(firstDay - 2, firstDay + PAGE_DAYS + 2);
    const offsets = new Int32Array(PAGE_DAYS);
    for (let i = 0; i < PAGE_DAYS; i++) {
      const start = (firstDay + i - 1) * SECONDS_A_DAY;
      const segment = segmentAt(segments, start);
      const next = segments[segments.indexOf(segment) + 1];
      offsets[i] = next === undefined || next.from >= start + 3 * SECONDS_A_DAY ? segment.offset : NEAR_TRANSITION;
    }
    return { offsets, segments };
  }

  /**
   * Asks at every UTC midnight, and between two that differ searches the second. (No zone has ever changed twice within
   * a day and back.)
   */
  #segments(fromDay: number, toDay: number): Segment[] {
    let offset = this.#ask(fromDay * SECONDS_A_DAY);
    const segments: Segment[] = [{ from: -Infinity, offset }];
    for (let day = fromDay + 1; day <= toDay; day++) {
      const last = day * SECONDS_A_DAY;
      const wanted = this.#ask(last);
      for (let known = last - SECONDS_A_DAY; offset !== wanted;) {
        const from = this.#firstChange(known, last, offset);
        offset = this.#ask(from);
        segments.push({ from, offset });
        known = from;
      }
    }
    return segments;
  }

  /** The first second in (low, high] at which the offset is another; it is at `high`. */
  #firstChange(low: number, high: number, offset: number): number {
    let before = low;
    let after = high;
    while (after - before > 1) {
      const middle = before + Math.floor((after - before) / 2);
      if (this.#ask(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }

  /** The offset by Intl. Only the day of the month and the clock are compared: no year, so no eras. */
  #ask(second: number): number {
    const text = this.#format.format((second - UNIX_DAY * SECONDS_A_DAY) * 1000);
    const [localDay, hour, minute, sec] = (text.match(/\d+/g) ?? []).map(Number);
    if (localDay === undefined || hour === undefined || minute === undefined || sec === undefined) {
      throw new Error(`Intl writes a time in ${this.name} as ${JSON.stringify(text)}`);
    }
    const utc = new Date((second - UNIX_DAY * SECONDS_A_DAY) * 1000);
    const utcDay = utc.getUTCDate();
    const clock = utc.getUTCHours() * 3600 + utc.getUTCMinutes() * 60 + utc.getUTCSeconds();
    const days = localDay === utcDay ? 0 : localDay === utcDay + 1 || (localDay === 1 && utcDay > 27) ? 1 : -1;
    return days * SECONDS_A_DAY + hour * 3600 + minute * 60 + sec - clock;
  }
}

function segmentAt(segments: readonly Segment[], second: number): Segment {
  let found = segments[0]!;
  for (const segment of segments) {
    if (segment.from > second) break;
    found = segment;
  }
  return found;
}

/** The first segment in which the local time stands is the earlier instant; none = it was skipped. */
function localOffset(segments: readonly Segment[], local: number): number {
  for (let i = 0; i < segments.length; i++) {
    const { from, offset } = segments[i]!;
    const instant = local - offset;
    if (instant >= from && instant < (segments[i + 1]?.from ?? Infinity)) return offset;
  }
  return IN_GAP;
}

const known = new Map<string, TimeZone>();

/**
 * The zone of that IANA name; null = there is none. Zones are kept: there are few, and their pages cost time to build.
 */
export function timeZoneNamed(name: string): TimeZone | null {
  const zone = known.get(name);
  if (zone !== undefined) return zone;
  try {
    const made = new TimeZone(name);
    known.set(name, made);
    return made;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
