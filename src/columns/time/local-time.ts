import { SECONDS_A_DAY } from './calendar.js';
import type { Moment } from './moment.js';
import type { TimeZone } from './time-zone.js';

/**
 * Turns a moment with an offset into the local time of a zone: what a clock there showed. Afterwards `offset` is the
 * zone's.
 */
export function toLocal(moment: Moment, zone: TimeZone): void {
  shift(moment, 0 - moment.offset);
  const offset = zone.instantOffset(moment.day, moment.second);
  shift(moment, offset);
  moment.offset = offset;
}

/** By less than a day. */
function shift(moment: Moment, seconds: number): void {
  const second = moment.second + seconds;
  const days = Math.floor(second / SECONDS_A_DAY);
  moment.day += days;
  moment.second = second - days * SECONDS_A_DAY;
}
