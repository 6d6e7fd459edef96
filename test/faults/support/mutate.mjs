/**
 * Mutations for fuzzing, made from a seed alone: the same seed gives the same bytes. Plain Node, so that a worker
 * thread can use it.
 */
export function random(seed) {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * limit);
  };
}

const BYTES = [
  0, 1, 0x09, 0x0a, 0x0d, 0x22, 0x27, 0x2c, 0x3b, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc3, 0xed, 0xef, 0xfe,
  0xff,
];
const INSERTS = [
  '"',
  '""',
  ',',
  '\n',
  '\r\n',
  '\r',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  'null',
  '\u0000',
  '\ufeff',
  '\\u0000',
  '\ud83d\ude00',
  '1e400',
  '-0',
  '99999999999999999999',
  '__proto__',
  '\\.',
  'PK\u0003\u0004',
];

/** One to four changes of `bytes`; `other` is what pieces are taken from. At most 256 KiB. */
export function mutate(bytes, other, below) {
  let out = Buffer.from(bytes);
  const changes = 1 + below(4);
  for (let i = 0; i < changes; i++) {
    const at = below(out.length + 1);
    const length = 1 + below(Math.max(1, Math.min(64, out.length - at)));
    switch (below(9)) {
      case 0:
        if (at < out.length) out[at] ^= 1 << below(8);
        break;
      case 1:
        if (at < out.length) out[at] = BYTES[below(BYTES.length)];
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]);
        break;
      case 4:
        out = Buffer.concat([out.subarray(0, at), Buffer.from(INSERTS[below(INSERTS.length)]), out.subarray(at)]);
        break;
      case 5:
        out = out.subarray(0, at);
        break;
      case 6: {
        const from = below(other.length + 1);
        out = Buffer.concat([out.subarray(0, at), other.subarray(from, from + 1 + below(200)), out.subarray(at)]);
        break;
      }
      case 7:
        // A length that lies.
        for (let b = at; b < Math.min(out.length, at + 1 + below(8)); b++) out[b] = below(2) === 0 ? 0xff : below(256);
        break;
      default:
        out = Buffer.concat([out, ...Array.from({ length: below(20) }, () => out.subarray(at, at + length))]);
    }
    if (out.length > 262_144) out = out.subarray(0, 262_144);
    out = Buffer.from(out);
  }
  return out;
}
