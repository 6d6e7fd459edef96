import type { CellError } from '../core/batch.js';
import { NULL_WRITTEN, type Codec, type CopyBuffer, type PgType } from '../core/codec.js';
import { TallymanError } from '../core/errors.js';
import type { ColumnSpec } from '../core/feed/columns.js';
import { dropBlanks, notA, skipBlanks } from './cell.js';
import { PLAIN_OPTIONS, type CodecOptions } from './column-type.js';
import { compileRules, encodeField, needsValue, type Rule } from './rules.js';
import { temporalProblems } from './time/temporal-problems.js';
import { judged, needsJudge, NO_RULES } from './as-contract.js';
import { pgTypeNamed } from './type-name.js';
import { codecFor, textCodec } from './types/index.js';
import { visibleText, VALUE_LIMIT } from '../base/text/visible-text.js';

/** How rows are written: `text` as soon as one column of the table has no binary codec. */
export type CopyMode = 'binary' | 'text';

/** 0, NULL_WRITTEN, or a fault (> 0) after which `out.pos` is as before. */
export type EncodeCell = (bytes: Buffer, start: number, end: number, out: CopyBuffer) => number;

/** One column of the contract, ready for the row loop: trim, codec, rules, default, required. */
export interface Column {
  readonly name: string;
  readonly spec: ColumnSpec;
  /** Of the real column. */
  readonly type: PgType;
  readonly codec: Codec;
  /**
   * One cell that is there and not NULL, without its quotes and escapes. The codec's own function when the column has
   * neither trim nor rules.
   */
  readonly encode: EncodeCell;
  /**
   * What a NULL or missing cell writes: the default, else NULL. null = such a cell is a fault (required without
   * default).
   */
  readonly nullField: Buffer | null;
  /** Most bytes that a cell of `length` bytes, NULL or missing included, takes in this mode. */
  readonly maxSize: (length: number) => number;
  /** Every fault of a cell that is there and not NULL; empty when it is good. Off the hot path. */
  faults(bytes: Buffer, start: number, end: number): readonly CellError[];
  /** The fault of a NULL in a required column. `value` = the cell's text, if it has one. */
  nullFault(value: string | null): CellError;
  /**
   * The value in binary (with its length word), whatever the mode: what `unique` compares. For types without binary
   * codec: the cell's text.
   */
  readonly encodeKey: EncodeCell;
  /** The default in that form; null = none. */
  readonly nullKey: Buffer | null;
}

const BINARY_NULL = Buffer.from([0xff, 0xff, 0xff, 0xff]);
const TEXT_NULL = Buffer.from('\\N');

/**
 * Types whose blanks are part of the value. In all others an empty or blank cell is NULL
 * (docs/spec/rows-and-values.md#null).
 */
const KEEPS_BLANKS: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'name', 'char', 'citext']);

/** Codes from here on are rules (index + FIRST_RULE); below are the codec's. */
const FIRST_RULE = 1000;

/**
 * Compiles a column of the contract for the real column's type. Throws CONTRACT_MISFIT when bounds or default do not
 * fit that type (config validation has already checked them against `spec.type`, with columnProblems).
 */
export function compileColumn(spec: ColumnSpec, type: PgType, feedTimezone: string, mode: CopyMode): Column {
  const problems: string[] = [];
  const contract = pgTypeNamed(spec.type);
  const column =
    contract !== null && needsJudge(contract, type)
      ? judged(
          build(spec, contract, feedTimezone, 'binary', problems),
          build({ ...spec, ...NO_RULES }, type, feedTimezone, mode, problems),
        )
      : build(spec, type, feedTimezone, mode, problems);
  if (problems.length > 0)
    throw new TallymanError('CONTRACT_MISFIT', `column ${spec.name} (${type.formatted}): ${problems.join('; ')}`);
  return column;
}

/** For columnProblems: the same, with all mistakes gathered. */
export function build(
  spec: ColumnSpec,
  type: PgType,
  feedTimezone: string,
  mode: CopyMode,
  problems: string[],
): Column {
  const timezone = spec.timezone ?? (type.typname === 'timestamptz' ? feedTimezone : null);
  const options: CodecOptions = { ...spec, timezone };
  const binary = codecFor(type, options);
  const codec = binary ?? textCodec(type);
  // Bounds and default stand in the config: `min: 0.5` of a column with `decimal: ","` means what it says.
  const plain = codecFor(type, { ...PLAIN_OPTIONS, timezone }) ?? codec;
  const unreadable = temporalProblems(options, type);
  if (binary === null && mode === 'binary')
    unreadable.push(`type ${type.formatted} can only be written through text COPY`);
  problems.push(...unreadable);

  // A codec without a valid format or zone refuses everything: bounds and default would be blamed for it.
  const sound = unreadable.length === 0;
  const rules = sound ? compileRules(spec, codec, plain, problems) : [];
  const keepsBlanks = KEEPS_BLANKS.has(type.typname);
  const trims = spec.trim || !keepsBlanks;
  const write: EncodeCell = mode === 'binary' ? codec.encode : codec.encodeText;
  // Codecs of types other than text pass over blanks themselves.
  const encode = rules.length > 0 || (spec.trim && keepsBlanks) ? checked(codec, write, rules, trims) : write;
  const fallback = spec.default === null || !sound ? null : defaultFields(spec.default, codec, plain, mode);
  if (spec.default !== null && sound && fallback === null)
    problems.push(`default ${JSON.stringify(spec.default)} is ${notA(codec.typeName)}`);
  const nullField = fallback?.written ?? (spec.required ? null : mode === 'binary' ? BINARY_NULL : TEXT_NULL);
  const nullSize = nullField?.length ?? 4;

  const nullFault = (value: string | null): CellError => ({
    column: spec.name,
    class: 'constraint-error',
    rule: 'required',
    message: 'empty, but required',
    value,
  });
  return {
    name: spec.name,
    spec,
    type,
    codec,
    encode,
    nullField,
    maxSize: (length) => Math.max(nullSize, codec.maxSize(length)),
    faults: faultFinder({ spec, codec, encode, nullField, nullFault }, write, rules, trims),
    nullFault,
    encodeKey: spec.trim && keepsBlanks ? trimmed(codec.encode) : codec.encode,
    nullKey: fallback?.key ?? null,
  };
}

/** Column.faults: every rule that the cell breaks, each tried alone; or what the codec says of it. */
function faultFinder(
  { spec, codec, encode, nullField, nullFault }: Pick<Column, 'spec' | 'codec' | 'encode' | 'nullField' | 'nullFault'>,
  write: EncodeCell,
  rules: readonly Rule[],
  trims: boolean,
): Column['faults'] {
  const fault = (code: number, bytes: Buffer, start: number, end: number): CellError => {
    const rule = rules[code - FIRST_RULE];
    const value = visibleText(bytes, start, end, VALUE_LIMIT);
    if (rule === undefined)
      return { column: spec.name, class: 'type-error', rule: null, message: codec.explain(code), value };
    return { column: spec.name, class: 'constraint-error', rule: rule.name, message: rule.message, value };
  };
  const single = rules.map((rule, index) => ({
    code: FIRST_RULE + index,
    encode: checked(codec, write, [rule], trims),
  }));
  return (bytes, start, end) => {
    const out: CopyBuffer = { buf: Buffer.allocUnsafe(codec.maxSize(end - start)), pos: 0 };
    const code = encode(bytes, start, end, out);
    if (code === 0) return [];
    if (code === NULL_WRITTEN)
      return nullField === null ? [nullFault(end > start ? visibleText(bytes, start, end, VALUE_LIMIT) : null)] : [];
    if (code < FIRST_RULE) return [fault(code, bytes, start, end)];
    return single.flatMap((one) => {
      out.pos = 0;
      return one.encode(bytes, start, end, out) === 0 ? [] : [fault(one.code, bytes, start, end)];
    });
  };
}

/** Trim, codec, rules. In text mode a column with min or max is encoded twice: the bounds compare binary values. */
function checked(codec: Codec, write: EncodeCell, rules: readonly Rule[], trims: boolean): EncodeCell {
  const twice = write !== codec.encode && rules.some(needsValue);
  const value: CopyBuffer = { buf: Buffer.allocUnsafe(twice ? 256 : 0), pos: 0 };
  return (bytes, cellStart, cellEnd, out) => {
    const start = trims ? skipBlanks(bytes, cellStart, cellEnd) : cellStart;
    const end = trims ? dropBlanks(bytes, start, cellEnd) : cellEnd;
    const before = out.pos;
    const code = write(bytes, start, end, out);
    if (code !== 0) return code;
    let encoded = out;
    let from = before;
    if (twice) {
      const need = codec.maxSize(end - start);
      if (value.buf.length < need) value.buf = Buffer.allocUnsafe(need);
      value.pos = 0;
      const again = codec.encode(bytes, start, end, value);
      if (again !== 0) {
        out.pos = before;
        return again;
      }
      encoded = value;
      from = 0;
    }
    for (let i = 0; i < rules.length; i++) {
      if (rules[i]!.holds(bytes, start, end, encoded.buf, from + 4, encoded.pos)) continue;
      out.pos = before;
      return FIRST_RULE + i;
    }
    return 0;
  };
}

const trimmed =
  (encode: EncodeCell): EncodeCell =>
  (bytes, cellStart, cellEnd, out) => {
    const start = skipBlanks(bytes, cellStart, cellEnd);
    return encode(bytes, start, dropBlanks(bytes, start, cellEnd), out);
  };

/** The default as it is written in this mode, and in binary; null = no value of the type. */
function defaultFields(
  text: string,
  codec: Codec,
  plain: Codec,
  mode: CopyMode,
): { readonly written: Buffer; readonly key: Buffer } | null {
  const chosen = encodeField(plain.encode, plain, text) === null ? codec : plain;
  const key = encodeField(chosen.encode, chosen, text);
  const written = mode === 'binary' ? key : encodeField(chosen.encodeText, chosen, text);
  return key === null || written === null ? null : { written, key };
}
