import { type Codec, type CopyBuffer, NULL_WRITTEN, type PgType } from '../../core/codec.js';
import { FIRST_DAY, LAST_DAY, SECONDS_A_DAY } from '../time/calendar.js';
import { dropBlanks, putInt32, skipBlanks } from '../cell.js';
import type { CodecOptions, ColumnType } from '../column-type.js';
import { compareSigned, putMicroseconds } from '../numbers/int64.js';
import { NOT_QUICK, quickIsoSeconds } from '../time/iso.js';
import { toLocal } from '../time/local-time.js';
import {
  explainMoment,
  fitPrecision,
  HAS_OFFSET,
  newMoment,
  NO_OFFSET,
  NO_SUCH_LOCAL_TIME,
  NOT_OF_FORM,
  YEAR_OUT_OF_RANGE,
} from '../time/moment.js';
import { readerOf } from '../time/strptime.js';
import { putDate, putOffset, putTime } from '../time/temporal-text.js';
import { IN_GAP, timeZoneNamed } from '../time/time-zone.js';
import { typeNameOf } from '../type-name.js';

/**
 * timestamp and timestamptz: ISO, or the column's formats. Binary: int64, microseconds since 2000-01-01 00:00 (UTC for
 * timestamptz). Digits past the column's precision are a refusal unless `round`: binary COPY would round them away
 * without a word.
 */
export const timestamp: ColumnType = { typnames: ['timestamp', 'timestamptz'], build: timestampCodec };

/** `YYYY-MM-DD HH:MM:SS.ffffff+HH:MM:SS` in text, 12 bytes in binary. */
const MAX_SIZE = 40;

/** The field in binary: seconds since 2000 and microseconds. */
function putInstant(seconds: number, micros: number, out: CopyBuffer): void {
  putInt32(out.buf, out.pos, 8);
  putMicroseconds(out.buf, out.pos + 4, seconds, micros);
  out.pos += 12;
}

function timestampCodec(type: PgType, options: CodecOptions): Codec {
  const withZone = type.typname === 'timestamptz';
  const read = readerOf(options, 'timestamp');
  const zoneName = options.timezone ?? (withZone ? 'UTC' : null);
  const zone = zoneName === null ? null : timeZoneNamed(zoneName);
  const precision = type.typmod < 0 ? 6 : type.typmod;
  const { round } = options;
  const plain = options.formats.length === 0;
  const moment = newMoment();

  /** timestamptz: the moment is a local time, and afterwards it has its offset from UTC. */
  const anchor = (): number => {
    if (moment.offset !== NO_OFFSET) return 0;
    // Config validation has refused a zone that does not exist.
    if (zone === null) return NOT_OF_FORM;
    const offset = zone.localOffset(moment.day, moment.second);
    moment.offset = offset;
    return offset === IN_GAP ? NO_SUCH_LOCAL_TIME : 0;
  };

  /** timestamp: what the clock shows; an offset has a meaning only where the column says whose clock it is. */
  const localize = (): number => {
    if (moment.offset === NO_OFFSET) return 0;
    if (zone === null) return moment.epoch ? 0 : HAS_OFFSET;
    toLocal(moment, zone);
    return moment.day < FIRST_DAY || moment.day > LAST_DAY ? YEAR_OUT_OF_RANGE : 0;
  };

  const instant = (bytes: Buffer, start: number, end: number): number => {
    const from = skipBlanks(bytes, start, end);
    const to = dropBlanks(bytes, from, end);
    if (from === to) return NULL_WRITTEN;
    const code = read(bytes, from, to, moment);
    if (code !== 0) return code;
    const placed = withZone ? anchor() : localize();
    return placed === 0 ? fitPrecision(moment, precision, round) : placed;
  };

  return {
    typeName: typeNameOf(type),
    maxSize: () => MAX_SIZE,
    encode(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
      const quick = plain ? quickIsoSeconds(bytes, start, end, withZone) : NOT_QUICK;
      if (quick !== NOT_QUICK) {
        putInstant(quick, 0, out);
        return 0;
      }
      const code = instant(bytes, start, end);
      if (code !== 0) return code;
      const seconds = moment.day * SECONDS_A_DAY + moment.second - (withZone ? moment.offset : 0);
      putInstant(seconds, moment.micros, out);
      return 0;
    },
    encodeText(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
      const code = instant(bytes, start, end);
      if (code !== 0) return code;
      const { buf } = out;
      const dateEnd = putDate(buf, out.pos, moment.day);
      buf[dateEnd] = 0x20;
      const timeEnd = putTime(buf, dateEnd + 1, moment.second, moment.micros);
      out.pos = withZone ? putOffset(buf, timeEnd, moment.offset) : timeEnd;
      return 0;
    },
    explain: (code) => explainMoment(code, typeNameOf(type), options, precision),
    compare: compareSigned,
    identity: null,
  };
}
