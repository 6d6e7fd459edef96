/**
 * XXH64 with seed 0 (the checksum of zstd frames; specification: xxHash, doc/xxhash_spec.md). Node has none and its
 * BigInt is 20 times too slow, so the four 64-bit lanes are pairs of 32-bit halves; only the end, once a frame, is
 * BigInt.
 */
export class Xxh64 {
  /** Four lanes, low half first. */
  readonly #lanes = new Int32Array(8);
  readonly #rest = Buffer.alloc(STRIPE);
  #restLength = 0;
  #length = 0;

  constructor() {
    [P1 + P2, P2, 0n, -P1].forEach((value, lane) => {
      this.#lanes[2 * lane] = Number(BigInt.asIntN(32, value));
      this.#lanes[2 * lane + 1] = Number(BigInt.asIntN(32, value >> 32n));
    });
  }

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#restLength > 0) {
      at = Math.min(STRIPE - this.#restLength, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restLength);
      this.#restLength += at;
      if (this.#restLength < STRIPE) return;
      stripes(this.#lanes, this.#rest, 0, STRIPE);
      this.#restLength = 0;
    }
    const end = bytes.length - ((bytes.length - at) % STRIPE);
    stripes(this.#lanes, bytes, at, end);
    this.#rest.set(bytes.subarray(end), 0);
    this.#restLength = bytes.length - end;
  }

  /** The low 32 bits of the hash, which is what a zstd frame carries. */
  low32(): number {
    const lane = (i: number): bigint =>
      (BigInt(this.#lanes[2 * i + 1]! >>> 0) << 32n) | BigInt(this.#lanes[2 * i]! >>> 0);
    const [a, b, c, d] = [lane(0), lane(1), lane(2), lane(3)];
    let hash = P5;
    if (this.#length >= STRIPE) {
      hash = u64(rotl(a, 1n) + rotl(b, 7n) + rotl(c, 12n) + rotl(d, 18n));
      for (const value of [a, b, c, d]) hash = u64((hash ^ round(0n, value)) * P1 + P4);
    }
    hash = u64(hash + BigInt(this.#length));
    const rest = this.#rest.subarray(0, this.#restLength);
    let at = 0;
    for (; at + 8 <= rest.length; at += 8) hash = u64(rotl(hash ^ round(0n, rest.readBigUInt64LE(at)), 27n) * P1 + P4);
    if (at + 4 <= rest.length) {
      hash = u64(rotl(hash ^ u64(BigInt(rest.readUInt32LE(at)) * P1), 23n) * P2 + P3);
      at += 4;
    }
    for (; at < rest.length; at++) hash = u64(rotl(hash ^ u64(BigInt(rest[at]!) * P5), 11n) * P1);
    hash = u64((hash ^ (hash >> 33n)) * P2);
    hash = u64((hash ^ (hash >> 29n)) * P3);
    hash ^= hash >> 32n;
    return Number(hash & 0xffffffffn);
  }
}

const STRIPE = 32;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotl = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));
const round = (lane: bigint, input: bigint): bigint => u64(rotl(u64(lane + input * P2), 31n) * P1);

const P1_LOW = 0x85ebca87 | 0;
const P1_HIGH = 0x9e3779b1 | 0;
const P2_LOW = 0x27d4eb4f | 0;
const P2_HIGH = 0xc2b2ae3d | 0;

/** The upper 32 bits of the product of two unsigned 32-bit numbers; all steps stay in 32 bits. */
function high(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const one = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0;
  const two = (Math.imul(a0, b1) + (one & 0xffff)) | 0;
  return (Math.imul(a1, b1) + (one >>> 16) + (two >>> 16)) | 0;
}

/** round() of the specification for whole stripes: lane = rotl(lane + input * P2, 31) * P1. */
function stripes(lanes: Int32Array, bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to;) {
    for (let lane = 0; lane < 8; lane += 2, at += 8) {
      const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      const up = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
      const addLow = Math.imul(low, P2_LOW);
      const addHigh = (high(low, P2_LOW) + Math.imul(low, P2_HIGH) + Math.imul(up, P2_LOW)) | 0;
      const sumLow = (lanes[lane]! + addLow) | 0;
      const carry = sumLow >>> 0 < addLow >>> 0 ? 1 : 0;
      const sumHigh = (lanes[lane + 1]! + addHigh + carry) | 0;
      // Rotated left by 31 = halves exchanged, then right by 1.
      const turnedLow = (sumHigh << 31) | (sumLow >>> 1);
      const turnedHigh = (sumLow << 31) | (sumHigh >>> 1);
      const newLow = turnedHigh;
      const newHigh = turnedLow;
      lanes[lane] = Math.imul(newLow, P1_LOW);
      lanes[lane + 1] = (high(newLow, P1_LOW) + Math.imul(newLow, P1_HIGH) + Math.imul(newHigh, P1_LOW)) | 0;
    }
  }
}
