import { dateOf, SECONDS_A_DAY } from './calendar.js';

/**
 * Dates and times as text COPY gets them: ISO, which PostgreSQL reads alike under every DateStyle. Each returns the
 * position behind.
 */

export function putDate(buf: Buffer, at: number, day: number): number {
  const date = dateOf(day);
  const year = (date / 10_000) | 0;
  putTwo(buf, at, (year / 100) | 0);
  putTwo(buf, at + 2, year % 100);
  buf[at + 4] = 0x2d;
  putTwo(buf, at + 5, ((date / 100) | 0) % 100);
  buf[at + 7] = 0x2d;
  putTwo(buf, at + 8, date % 100);
  return at + 10;
}

/** `HH:MM:SS`, and `.ffffff` unless the microseconds are 0. */
export function putTime(buf: Buffer, at: number, second: number, micros: number): number {
  const next = putClock(buf, at, second % SECONDS_A_DAY);
  if (micros === 0) return next;
  buf[next] = 0x2e;
  putTwo(buf, next + 1, (micros / 10_000) | 0);
  putTwo(buf, next + 3, ((micros / 100) | 0) % 100);
  putTwo(buf, next + 5, micros % 100);
  return next + 7;
}

/** `+HH:MM:SS`: local mean times of old had seconds. */
export function putOffset(buf: Buffer, at: number, offset: number): number {
  buf[at] = offset < 0 ? 0x2d : 0x2b;
  return putClock(buf, at + 1, Math.abs(offset));
}

function putClock(buf: Buffer, at: number, second: number): number {
  putTwo(buf, at, (second / 3600) | 0);
  buf[at + 2] = 0x3a;
  putTwo(buf, at + 3, ((second / 60) | 0) % 60);
  buf[at + 5] = 0x3a;
  putTwo(buf, at + 6, second % 60);
  return at + 8;
}

function putTwo(buf: Buffer, at: number, value: number): void {
  buf[at] = 0x30 + ((value / 10) | 0);
  buf[at + 1] = 0x30 + (value % 10);
}
