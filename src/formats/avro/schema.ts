import { TallymanError, messageOf } from '../../core/errors.js';

/** A type of the writer's schema, names resolved: what the bytes are read by. A record may hold itself. */
export type AvroType =
  | { readonly kind: 'null' | 'boolean' | 'float' | 'double' | 'string' }
  | { readonly kind: 'int' | 'long'; readonly logical: WholeLogical | null }
  | { readonly kind: 'bytes'; readonly logical: Decimal | null }
  | { readonly kind: 'fixed'; readonly size: number; readonly logical: Decimal | 'duration' | 'uuid' | null }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'enum'; readonly symbols: readonly Buffer[] }
  | { readonly kind: 'array' | 'map'; readonly items: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | AvroRecord;

export interface AvroRecord {
  readonly kind: 'record';
  readonly name: string;
  readonly fields: readonly AvroField[];
}

export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
}

/** Decimal digits: the unscaled number has at most `precision` of them, `scale` behind the point. */
export interface Decimal {
  readonly precision: number;
  readonly scale: number;
}

const WHOLE = {
  int: ['date', 'time-millis'],
  long: [
    'time-micros',
    'timestamp-millis',
    'timestamp-micros',
    'timestamp-nanos',
    'local-timestamp-millis',
    'local-timestamp-micros',
    'local-timestamp-nanos',
  ],
} as const;
export type WholeLogical = (typeof WHOLE)['int'][number] | (typeof WHOLE)['long'][number];

/** Far beyond any schema that people write; a hostile one is all brackets. */
const MOST_DEPTH = 64;
const MOST_TYPES = 100_000;
/** A `fixed` of more is no value of a table. */
const LARGEST_FIXED = 2 ** 26;

const PRIMITIVES: ReadonlySet<string> = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
]);

/**
 * Reads the schema that a file carries (Avro specification 1.12; JSON). A logical type that is unknown or does not fit
 * is passed over, as the specification wants it. Throws FILE_CORRUPT.
 */
export function parseSchema(text: string): AvroType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(`is no JSON: ${messageOf(error)}`);
  }
  return new SchemaReader().read(json, '', 0);
}

class SchemaReader {
  readonly #named = new Map<string, AvroType>();
  #count = 0;

  read(json: unknown, space: string, depth: number): AvroType {
    if (depth > MOST_DEPTH) throw wrong(`is nested deeper than ${MOST_DEPTH} levels`);
    if (++this.#count > MOST_TYPES) throw wrong(`has more than ${MOST_TYPES} types`);
    if (typeof json === 'string') return this.#byName(json, space);
    if (Array.isArray(json))
      return { kind: 'union', branches: json.map((branch: unknown) => this.read(branch, space, depth + 1)) };
    if (!isMap(json)) throw wrong('has a type that is neither name, list nor mapping');
    const { type } = json;
    // {"type": {"type": ...}} is another way to write the inner one.
    if (typeof type !== 'string') return this.read(type, space, depth + 1);
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, space, depth);
      case 'enum':
        return this.#name(json, space, {
          kind: 'enum',
          symbols: listOf(json, 'symbols').map((symbol) => Buffer.from(textOf(symbol, 'a symbol'))),
        }).type;
      case 'fixed':
        return this.#fixed(json, space);
      case 'array':
        return { kind: 'array', items: this.read(json['items'], space, depth + 1) };
      case 'map':
        return { kind: 'map', items: this.read(json['values'], space, depth + 1) };
      default:
        return PRIMITIVES.has(type) ? primitive(type, json) : this.#byName(type, space);
    }
  }

  #byName(name: string, space: string): AvroType {
    if (PRIMITIVES.has(name)) return primitive(name, {});
    const found =
      this.#named.get(name.includes('.') || space === '' ? name : `${space}.${name}`) ?? this.#named.get(name);
    if (found === undefined) throw wrong(`names a type ${shown(name)} that it does not define`);
    return found;
  }

  #name<T extends AvroType>(
    json: Readonly<Record<string, unknown>>,
    space: string,
    type: T,
  ): { readonly type: T; readonly space: string } {
    const name = textOf(json['name'], 'the name of a type');
    const own = name.includes('.')
      ? name.slice(0, name.lastIndexOf('.'))
      : typeof json['namespace'] === 'string'
        ? json['namespace']
        : space;
    const full = name.includes('.') || own === '' ? name : `${own}.${name}`;
    if (this.#named.has(full)) throw wrong(`defines ${shown(full)} twice`);
    this.#named.set(full, type);
    return { type, space: own };
  }

  #record(json: Readonly<Record<string, unknown>>, space: string, depth: number): AvroRecord {
    const fields: AvroField[] = [];
    // Named before its fields are read: they may hold the record itself.
    const { type, space: own } = this.#name(json, space, {
      kind: 'record',
      name: textOf(json['name'], 'the name of a record'),
      fields,
    });
    const names = new Set<string>();
    for (const field of listOf(json, 'fields')) {
      if (!isMap(field)) throw wrong('has a field that is no mapping');
      const name = textOf(field['name'], 'the name of a field');
      if (names.has(name)) throw wrong(`has the field ${shown(name)} twice`);
      names.add(name);
      fields.push({ name, type: this.read(field['type'], own, depth + 1) });
    }
    return type;
  }

  #fixed(json: Readonly<Record<string, unknown>>, space: string): AvroType {
    const { size, logicalType } = json;
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > LARGEST_FIXED)
      throw wrong('has a fixed type without a sensible size');
    const logical =
      logicalType === 'decimal'
        ? decimalOf(json, largestDigits(size))
        : logicalType === 'duration' && size === 12
          ? 'duration'
          : logicalType === 'uuid' && size === 16
            ? 'uuid'
            : null;
    return this.#name(json, space, { kind: 'fixed', size, logical }).type;
  }
}

function primitive(name: string, json: Readonly<Record<string, unknown>>): AvroType {
  const { logicalType } = json;
  switch (name) {
    case 'int':
      return { kind: 'int', logical: WHOLE.int.find((one) => one === logicalType) ?? null };
    case 'long':
      return { kind: 'long', logical: WHOLE.long.find((one) => one === logicalType) ?? null };
    case 'bytes':
      return { kind: 'bytes', logical: logicalType === 'decimal' ? decimalOf(json, Infinity) : null };
    case 'string':
      return { kind: logicalType === 'uuid' ? 'uuid' : 'string' };
    case 'null':
    case 'boolean':
    case 'float':
    case 'double':
      return { kind: name };
    default:
      throw new TallymanError('INTERNAL', `${name} is no primitive type`);
  }
}

/** Digits that a number of so many bytes in two's complement surely has room for. */
const largestDigits = (size: number): number => Math.floor(Math.log10(2) * (8 * size - 1));

function decimalOf({ precision, scale = 0 }: Readonly<Record<string, unknown>>, most: number): Decimal | null {
  const whole = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value);
  return whole(precision) && whole(scale) && precision >= 1 && precision <= most && scale >= 0 && scale <= precision
    ? { precision, scale }
    : null;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function listOf(json: Readonly<Record<string, unknown>>, key: string): readonly unknown[] {
  const list = json[key];
  if (!Array.isArray(list)) throw wrong(`has a type without ${key}`);
  return list;
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw wrong(`lacks ${what}`);
  return value;
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 100));
const wrong = (what: string): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The schema in the Avro file ${what}.`);
