import { type Codec, type CopyBuffer, NULL_WRITTEN, type PgType } from '../../core/codec.js';
import { dropBlanks, putInt32, skipBlanks } from '../cell.js';
import type { CodecOptions, ColumnType } from '../column-type.js';
import { compareSigned, putMicroseconds } from '../numbers/int64.js';
import { explainMoment, fitPrecision, newMoment, NO_SUCH_TIME } from '../time/moment.js';
import { readerOf } from '../time/strptime.js';
import { putTime } from '../time/temporal-text.js';
import { typeNameOf } from '../type-name.js';

/** time and time(p): `HH:MM[:SS[.ffffff]]`, or the column's formats. Binary: int64, microseconds since midnight. */
export const time: ColumnType = { typnames: ['time'], build: timeCodec };

/** HH:MM:SS.ffffff in text, 12 bytes in binary. */
const MAX_SIZE = 16;

function timeCodec(type: PgType, options: CodecOptions): Codec {
  const read = readerOf(options, 'time');
  const precision = type.typmod < 0 ? 6 : type.typmod;
  const { round } = options;
  const moment = newMoment();

  const clock = (bytes: Buffer, start: number, end: number): number => {
    const from = skipBlanks(bytes, start, end);
    const to = dropBlanks(bytes, from, end);
    if (from === to) return NULL_WRITTEN;
    const code = read(bytes, from, to, moment);
    if (code !== 0) return code;
    const fits = fitPrecision(moment, precision, round);
    // 23:59:59.9999999 rounds to 24:00, which is no time of day.
    return fits === 0 && moment.day !== 0 ? NO_SUCH_TIME : fits;
  };

  return {
    typeName: typeNameOf(type),
    maxSize: () => MAX_SIZE,
    encode(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
      const code = clock(bytes, start, end);
      if (code !== 0) return code;
      putInt32(out.buf, out.pos, 8);
      putMicroseconds(out.buf, out.pos + 4, moment.second, moment.micros);
      out.pos += 12;
      return 0;
    },
    encodeText(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
      const code = clock(bytes, start, end);
      if (code === 0) out.pos = putTime(out.buf, out.pos, moment.second, moment.micros);
      return code;
    },
    explain: (code) => explainMoment(code, typeNameOf(type), options, precision),
    compare: compareSigned,
    identity: null,
  };
}
