import { type Codec, type CopyBuffer, NULL_WRITTEN } from '../../core/codec.js';
import { dropBlanks, putInt32, skipBlanks } from '../cell.js';
import type { CodecOptions, ColumnType } from '../column-type.js';
import { compareSigned } from '../numbers/int64.js';
import { NOT_QUICK, quickIsoDay } from '../time/iso.js';
import { EXACT, explainMoment, newMoment, NO_OFFSET, NOT_MIDNIGHT } from '../time/moment.js';
import { readerOf } from '../time/strptime.js';
import { putDate } from '../time/temporal-text.js';
import { timeZoneNamed } from '../time/time-zone.js';
import { toLocal } from '../time/local-time.js';

/**
 * date: `YYYY-MM-DD`, a midnight time part behind it is fine, or the column's formats. Binary: int32, days since
 * 2000-01-01.
 */
export const date: ColumnType = { typnames: ['date'], build: (_type, options) => dateCodec(options) };

/** 4 + 4 bytes in binary, YYYY-MM-DD in text. */
const MAX_SIZE = 12;

function dateCodec(options: CodecOptions): Codec {
  const read = readerOf(options, 'date');
  const zone = options.timezone === null ? null : timeZoneNamed(options.timezone);
  const plain = options.formats.length === 0;
  const moment = newMoment();

  /** Fills `moment`. An offset counts only where the column has a timezone: then the day is the one there. */
  const day = (bytes: Buffer, start: number, end: number): number => {
    const from = skipBlanks(bytes, start, end);
    const to = dropBlanks(bytes, from, end);
    if (from === to) return NULL_WRITTEN;
    const code = read(bytes, from, to, moment);
    if (code !== 0) return code;
    if (zone !== null && moment.offset !== NO_OFFSET) toLocal(moment, zone);
    return moment.second !== 0 || moment.micros !== 0 || moment.beyond !== EXACT ? NOT_MIDNIGHT : 0;
  };

  return {
    typeName: 'date',
    maxSize: () => MAX_SIZE,
    encode(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
      const quick = plain ? quickIsoDay(bytes, start, end) : NOT_QUICK;
      if (quick !== NOT_QUICK) {
        putInt32(out.buf, out.pos, 4);
        putInt32(out.buf, out.pos + 4, quick);
        out.pos += 8;
        return 0;
      }
      const code = day(bytes, start, end);
      if (code !== 0) return code;
      putInt32(out.buf, out.pos, 4);
      putInt32(out.buf, out.pos + 4, moment.day);
      out.pos += 8;
      return 0;
    },
    encodeText(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
      const code = day(bytes, start, end);
      if (code === 0) out.pos = putDate(out.buf, out.pos, moment.day);
      return code;
    },
    explain: (code) => explainMoment(code, 'date', options),
    compare: compareSigned,
    identity: null,
  };
}
