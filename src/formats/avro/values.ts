import { ESCAPED, NULL_CELL } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import type { PlainBatch } from '../plain-batch.js';
import type { BlockCursor } from './cursor.js';
import type { JsonOut } from './json-out.js';
import { putMoment } from './moments.js';
import { nameBytes } from './names.js';
import type { RecordPlan } from './plan.js';
import type { AvroRecord, AvroType, Decimal, WholeLogical } from './schema.js';

/** Values within values. A deeper one would be a list of a thousand links, or an attack. */
const MOST_DEPTH = 500;
/**
 * Values of one block that take no byte (lists of nulls, empty records): no length tells a lie about their number from
 * the truth.
 */
export const MOST_WEIGHTLESS = 1_000_000;
/**
 * Bytes of a decimal. Its digits cost the square of them; PostgreSQL's numeric ends at 131,072 digits before the point.
 */
const LARGEST_DECIMAL = 32 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/**
 * Values of a block as JSON text, one pass: numbers with all their digits, dates and times in ISO 8601, bytes as
 * `\x..`. Fields that are cells of the row note where their text stands.
 */
export class ValueWriter {
  readonly #cursor: BlockCursor;
  readonly #out: JsonOut;
  readonly #keys = new Map<AvroRecord, readonly Buffer[]>();
  readonly #weightless = new Map<AvroType, boolean>();
  /** The last value was a string with escapes, a string, or null. */
  #escaped = false;
  #quoted = false;
  #null = false;
  readonly #scratch = Buffer.alloc(64);
  #weightlessLeft = MOST_WEIGHTLESS;

  constructor(cursor: BlockCursor, out: JsonOut) {
    this.#cursor = cursor;
    this.#out = out;
  }

  /** A new block begins. */
  begin(): void {
    this.#weightlessLeft = MOST_WEIGHTLESS;
  }

  /** True when values of this type take no byte. */
  isWeightless(type: AvroType): boolean {
    const known = this.#weightless.get(type);
    if (known !== undefined) return known;
    // A record within itself takes the byte of the union or list through which it is reached.
    this.#weightless.set(type, false);
    const weightless =
      type.kind === 'null' ||
      (type.kind === 'fixed' && type.size === 0) ||
      (type.kind === 'record' && type.fields.every((field) => this.isWeightless(field.type)));
    this.#weightless.set(type, weightless);
    return weightless;
  }

  /** A record some of whose fields are cells of the batch's row that begins at `first` in its arrays. */
  row(plan: RecordPlan, batch: PlainBatch, first: number, depth = 0): void {
    const out = this.#out;
    const { fields } = plan;
    out.byte(OPEN);
    for (let i = 0; i < fields.length; i++) {
      const { key, type, cell, whole, inside } = fields[i]!;
      if (i > 0) out.byte(COMMA);
      out.text(key);
      const start = out.pos;
      if (inside === null) this.#value(type, depth + 1);
      else this.#inside(type, inside, batch, first, depth + 1);
      if (cell < 0) continue;
      const bare = this.#quoted && !whole;
      batch.starts[first + cell] = bare ? start + 1 : start;
      batch.ends[first + cell] = bare ? out.pos - 1 : out.pos;
      batch.flags[first + cell] = this.#null ? NULL_CELL : bare && this.#escaped ? ESCAPED : 0;
    }
    out.byte(CLOSE);
    this.#quoted = this.#escaped = this.#null = false;
  }

  #inside(type: AvroType, plan: RecordPlan, batch: PlainBatch, first: number, depth: number): void {
    const branch = type.kind === 'union' ? this.#branch(type.branches) : type;
    if (branch.kind === 'record') this.row(plan, batch, first, depth);
    else this.#value(branch, depth);
  }

  #value(type: AvroType, depth: number): void {
    if (depth > MOST_DEPTH) throw this.#cursor.corrupt(`values are nested deeper than ${MOST_DEPTH} levels`);
    const out = this.#out;
    this.#quoted = this.#escaped = this.#null = false;
    switch (type.kind) {
      case 'null':
        out.ascii('null');
        this.#null = true;
        return;
      case 'boolean':
        return this.#boolean();
      case 'int':
        return this.#int(type.logical);
      case 'long':
        return this.#long(type.logical);
      case 'float':
        return this.#float(this.#cursor.bytes.readFloatLE(this.#cursor.take(4)), shortestFloat);
      case 'double':
        return this.#float(this.#cursor.bytes.readDoubleLE(this.#cursor.take(8)), String);
      case 'bytes':
        return this.#bytes(this.#length(), type.logical);
      case 'fixed':
        return this.#fixed(type);
      case 'string':
      case 'uuid':
        return this.#string(this.#length());
      case 'enum': {
        const symbol = type.symbols[this.#cursor.size(type.symbols.length - 1, 'the number of an enum symbol')]!;
        return this.#quote(symbol, 0, symbol.length);
      }
      case 'union':
        return this.#value(this.#branch(type.branches), depth + 1);
      case 'array':
      case 'map':
        return this.#list(type, depth);
      case 'record':
        return this.#record(type, depth);
    }
  }

  #branch(branches: readonly AvroType[]): AvroType {
    return branches[this.#cursor.size(branches.length - 1, 'the branch of a union')]!;
  }

  #length(): number {
    return this.#cursor.size(this.#cursor.left, 'the length of a value');
  }

  #boolean(): void {
    const byte = this.#cursor.bytes[this.#cursor.take(1)]!;
    if (byte > 1) throw this.#cursor.corrupt('a boolean is neither 0 nor 1');
    this.#out.ascii(byte === 1 ? 'true' : 'false');
  }

  #int(logical: WholeLogical | null): void {
    const value = this.#cursor.long();
    if (value === null || value !== (value | 0)) throw this.#cursor.corrupt('an int has more than 32 bits');
    if (logical === null || !this.#moment(logical, value)) this.#out.whole(value);
  }

  #long(logical: WholeLogical | null): void {
    const value = this.#cursor.long() ?? this.#cursor.bigLong();
    if (logical !== null && this.#moment(logical, value)) return;
    if (typeof value === 'number') this.#out.whole(value);
    else this.#out.ascii(value.toString());
  }

  #moment(logical: WholeLogical, value: number | bigint): boolean {
    const out = this.#out;
    out.byte(QUOTE);
    if (!putMoment(logical, value, out)) {
      out.pos -= 1;
      return false;
    }
    out.byte(QUOTE);
    this.#quoted = true;
    return true;
  }

  /** JSON has no word for NaN and the infinities: they are strings, as the columns of these types read them. */
  #float(value: number, textOf: (value: number) => string): void {
    if (Number.isFinite(value)) {
      this.#out.ascii(Object.is(value, -0) ? '-0' : textOf(value));
      return;
    }
    this.#out.ascii(`"${String(value)}"`);
    this.#quoted = true;
  }

  #string(length: number): void {
    const start = this.#cursor.take(length);
    this.#quote(this.#cursor.bytes, start, start + length);
  }

  #quote(bytes: Buffer, start: number, end: number): void {
    this.#out.byte(QUOTE);
    const escaped = this.#out.string(bytes, start, end);
    this.#out.byte(QUOTE);
    this.#escaped = escaped;
    this.#quoted = true;
  }

  #bytes(length: number, logical: Decimal | null): void {
    const start = this.#cursor.take(length);
    if (logical !== null && length <= LARGEST_DECIMAL) {
      this.#out.ascii(decimalText(this.#cursor.bytes, start, start + length, logical.scale));
      return;
    }
    this.#out.ascii('"\\\\x');
    this.#out.hex(this.#cursor.bytes, start, start + length);
    this.#out.byte(QUOTE);
    this.#escaped = this.#quoted = true;
  }

  #fixed({ size, logical }: { readonly size: number; readonly logical: Decimal | 'duration' | 'uuid' | null }): void {
    if (logical !== 'duration' && logical !== 'uuid') return this.#bytes(size, logical);
    const start = this.#cursor.take(size);
    const { bytes } = this.#cursor;
    const text = logical === 'uuid' ? uuidText(bytes, start) : durationText(bytes, start);
    const length = this.#scratch.write(text, 'latin1');
    this.#quote(this.#scratch, 0, length);
  }

  /** Blocks of items, each with its number before it; a negative one has the bytes of the block behind it. */
  #list({ kind, items }: { readonly kind: 'array' | 'map'; readonly items: AvroType }, depth: number): void {
    const out = this.#out;
    const cursor = this.#cursor;
    const weightless = kind === 'array' && this.isWeightless(items);
    out.byte(kind === 'array' ? OPEN_LIST : OPEN);
    let written = 0;
    for (;;) {
      const said = cursor.long();
      if (said === 0) break;
      if (said !== null && said < 0) cursor.size(cursor.left, 'the length of a list');
      const count = said === null ? Infinity : Math.abs(said);
      if (count > (weightless ? this.#weightlessLeft : cursor.left))
        throw cursor.corrupt('a list has more items than there are bytes');
      if (weightless) this.#weightlessLeft -= count;
      for (let item = 0; item < count; item++) {
        if (written++ > 0) out.byte(COMMA);
        if (kind === 'map') {
          this.#string(this.#length());
          out.byte(0x3a);
        }
        this.#value(items, depth + 1);
      }
    }
    out.byte(kind === 'array' ? CLOSE_LIST : CLOSE);
    this.#quoted = this.#escaped = this.#null = false;
  }

  #record(type: AvroRecord, depth: number): void {
    const out = this.#out;
    let keys = this.#keys.get(type);
    if (keys === undefined) this.#keys.set(type, (keys = type.fields.map(({ name }) => nameBytes(name))));
    out.byte(OPEN);
    for (let i = 0; i < keys.length; i++) {
      if (i > 0) out.byte(COMMA);
      out.text(keys[i]!);
      this.#value(type.fields[i]!.type, depth + 1);
    }
    out.byte(CLOSE);
    this.#quoted = this.#escaped = this.#null = false;
  }
}

/**
 * The shortest digits that are this float and no other: 0.1, where the double of the same value is 0.10000000149011612.
 * Whole numbers exactly.
 */
function shortestFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

/** An unscaled number in two's complement, big end first, with its point. */
export function decimalText(bytes: Buffer, start: number, end: number, scale: number): string {
  if (start === end) return '0';
  const unsigned = BigInt(`0x${bytes.toString('hex', start, end)}`);
  const negative = bytes[start]! >= 0x80;
  const value = negative ? (1n << BigInt(8 * (end - start))) - unsigned : unsigned;
  const digits = value.toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return negative ? `-${text}` : text;
}

function uuidText(bytes: Buffer, start: number): string {
  const hex = bytes.toString('hex', start, start + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Months, days and milliseconds, as ISO 8601 and PostgreSQL's interval write them. */
function durationText(bytes: Buffer, start: number): string {
  const millis = bytes.readUInt32LE(start + 8);
  const rest = millis % 1000 === 0 ? '' : `.${String(millis % 1000).padStart(3, '0')}`;
  return `P${bytes.readUInt32LE(start)}M${bytes.readUInt32LE(start + 4)}DT${Math.floor(millis / 1000)}${rest}S`;
}

/** For callers that hold a type and want its record. */
export function recordOf(type: AvroType): AvroRecord {
  if (type.kind === 'record') return type;
  throw new TallymanError('FORMAT_MISMATCH', `The Avro file holds values of type ${type.kind}, not records.`, {
    fix: 'Ask the supplier for records: each field becomes a column.',
  });
}
