import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchEncoder } from '../../src/columns/rows/batch-encoder.js';
import { compileColumn, type CopyMode } from '../../src/columns/column.js';
import type { EncoderPlan, RowSink } from '../../src/columns/rows/row-encoder.js';
import { pgTypeNamed } from '../../src/columns/type-name.js';
import { putText, realText } from '../../src/columns/vectors/vector-text.js';
import type { Batch, CellError, VectorType } from '../../src/core/batch.js';
import type { CopyBuffer } from '../../src/core/codec.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import { batchOf, columnSpec } from './batches.js';
import { batchOfVector, textOf, valuesOf, vectorOf, type Value } from './vectors.js';

const TYPES: readonly VectorType[] = [
  { kind: 'bool' },
  ...([1, 2, 4, 8] as const).flatMap((bytes) =>
    [true, false].map((signed): VectorType => ({ kind: 'int', bytes, signed })),
  ),
  { kind: 'decimal', bytes: 2, precision: 4, scale: 2 },
  { kind: 'decimal', bytes: 4, precision: 9, scale: 0 },
  { kind: 'decimal', bytes: 8, precision: 12, scale: 2 },
  { kind: 'decimal', bytes: 8, precision: 18, scale: 5 },
  { kind: 'decimal', bytes: 16, precision: 38, scale: 9 },
  { kind: 'decimal', bytes: 16, precision: 38, scale: 38 },
  { kind: 'digits', scale: 3 },
  { kind: 'double' },
  { kind: 'date' },
  { kind: 'time', unit: 'us' },
  { kind: 'time', unit: 'ns' },
  { kind: 'time', unit: 'packed' },
  { kind: 'timestamp', unit: 'us', utc: false },
  { kind: 'timestamp', unit: 'us', utc: true },
  { kind: 'timestamp', unit: 'ns', utc: false },
  { kind: 'timestamp', unit: 'ns', utc: true },
  { kind: 'julian' },
  { kind: 'uuid' },
  { kind: 'text' },
];
const nameOf = (type: VectorType): string => Object.values(type).join(' ');

const COLUMNS: readonly ColumnSpec[] = [
  ...[
    'text',
    'varchar(7)',
    'char(12)',
    'smallint',
    'integer',
    'bigint',
    'numeric',
    'numeric(12,2)',
    'numeric(5,0)',
    'numeric(40,10)',
    'real',
    'double precision',
    'boolean',
    'date',
    'time',
    'time(3)',
    'timestamp',
    'timestamp(0)',
    'timestamptz',
    'uuid',
    'json',
    'jsonb',
  ].map((type) => columnSpec('c', type)),
  columnSpec('c', 'numeric(6,1)', { round: true }),
  columnSpec('c', 'integer', { round: true, required: true }),
  columnSpec('c', 'timestamp', { round: true }),
  columnSpec('c', 'timestamp', { timezone: 'Europe/Paris' }),
  columnSpec('c', 'timestamptz', { timezone: 'America/New_York' }),
  columnSpec('c', 'timestamptz', { formats: ['epoch_s'] }),
  columnSpec('c', 'bigint', { min: '-5', max: '100', unique: true }),
  columnSpec('c', 'numeric(12,2)', { min: '0', default: '1.5' }),
  columnSpec('c', 'date', { min: '1990-01-01', required: true }),
  columnSpec('c', 'text', { enum: ['12', 'true', 'a'], trim: true }),
  columnSpec('c', 'text', { pattern: '^[0-9.-]+$', minLength: 2, maxLength: 8 }),
];

/** load/read/compile.ts takes the formats away from columns whose values are times in the file: they are for texts. */
const columnsFor = ({ kind }: VectorType): readonly ColumnSpec[] =>
  ['date', 'time', 'timestamp', 'julian'].includes(kind)
    ? COLUMNS.filter(({ formats }) => formats.length === 0)
    : COLUMNS;

class Sink implements RowSink {
  readonly refused: { row: number; errors: readonly CellError[] }[] = [];
  readonly keys: string[] = [];
  bad(row: number, errors: readonly CellError[]): void {
    this.refused.push({ row, errors });
  }
  key(key: number, row: number, bytes: Buffer, start: number, end: number): void {
    this.keys.push(`${key} ${row} ${bytes.toString('hex', start, end)}`);
  }
}

function encoded(
  batch: Batch,
  spec: ColumnSpec,
  mode: CopyMode,
): {
  readonly data: string;
  readonly refused: Sink['refused'];
  readonly keys: readonly string[];
  readonly accepted: number;
} {
  const column = compileColumn(spec, pgTypeNamed(spec.type)!, 'UTC', mode);
  const plan: EncoderPlan = {
    mode,
    loadId: 7,
    columns: [column],
    cellOf: [0],
    fileColumns: ['c'],
    shortRows: 'quarantine',
    rescue: null,
    uniqueKeys: spec.unique ? [[0]] : [],
    trackRows: true,
  };
  const sink = new Sink();
  const out: CopyBuffer = { buf: Buffer.alloc(8), pos: 0 };
  const accepted = new BatchEncoder(plan).encode(batch, 0, batch.rows, out, sink);
  return {
    data: out.buf.toString(mode === 'binary' ? 'hex' : 'utf8', 0, out.pos),
    refused: sink.refused,
    keys: sink.keys,
    accepted,
  };
}

/** The same values as a CSV would hold them. */
const asTexts = (type: VectorType, values: readonly Value[]): Batch =>
  batchOf(values.map((value) => [value === null ? null : textOf(type, value)]));

const RUNS = Number(process.env['TALLYMAN_FUZZ_RUNS'] ?? 5);

describe.each(TYPES.map((type) => [nameOf(type), type] as const))('values of type %s', (_, type) => {
  test('have a text that loses nothing', () => {
    fc.assert(
      fc.property(fc.array(valuesOf(type), { minLength: 1, maxLength: 40 }), (values) => {
        const vector = vectorOf(type, values);
        for (const [row, value] of values.entries()) {
          if (value === null) continue;
          const out: CopyBuffer = { buf: Buffer.alloc(1), pos: 0 };
          putText(vector, row, out);
          expect(out.buf.toString('utf8', 0, out.pos)).toBe(textOf(type, value));
        }
      }),
      { numRuns: 4 * RUNS },
    );
  });

  test.each(['binary', 'text'] as const)(
    'become in %s COPY what their texts in a CSV become, refusals included',
    (mode) => {
      fc.assert(
        fc.property(fc.array(valuesOf(type), { minLength: 1, maxLength: 60 }), (values) => {
          const vectors = batchOfVector(vectorOf(type, values), values.length);
          const texts = asTexts(type, values);
          for (const spec of columnsFor(type))
            expect({ spec, ...encoded(vectors, spec, mode) }).toEqual({ spec, ...encoded(texts, spec, mode) });
        }),
        { numRuns: RUNS },
      );
    },
  );
});

describe('values at the edges', () => {
  const one = (type: VectorType, value: Value, to: string) =>
    encoded(batchOfVector(vectorOf(type, [value]), 1), columnSpec('c', to), 'binary');
  const HEAD = 2 * 26;

  test('a day or an instant outside years 0001 to 9999 is a type-error of its row', () => {
    const days = vectorOf({ kind: 'date' }, [
      -719_163n,
      -719_162n,
      2_932_896n,
      2_932_897n,
      2_147_483_647n,
      -2_147_483_648n,
    ]);
    expect(
      encoded(batchOfVector(days, 6), columnSpec('c', 'date'), 'binary').refused.map(({ row, errors }) => [
        row,
        errors[0]?.class,
      ]),
    ).toEqual([0, 3, 4, 5].map((row) => [row, 'type-error']));
    const ends = [
      -62_135_596_800_000_001n,
      -62_135_596_800_000_000n,
      253_402_300_799_999_999n,
      253_402_300_800_000_000n,
      9_223_372_036_854_775_807n,
      -9_223_372_036_854_775_808n,
    ];
    for (const utc of [true, false]) {
      const times = vectorOf({ kind: 'timestamp', unit: 'us', utc }, ends);
      expect(
        encoded(batchOfVector(times, 6), columnSpec('c', utc ? 'timestamptz' : 'timestamp'), 'binary').refused.map(
          ({ row }) => row,
        ),
      ).toEqual([0, 3, 4, 5]);
    }
    const julian = vectorOf({ kind: 'julian' }, [
      [0n, 1_721_425n],
      [0n, 1_721_426n],
      [86_399_999_999_000n, 5_373_484n],
      [0n, 5_373_485n],
      [0n, -1n],
      [-1n, 2_147_483_647n],
    ]);
    expect(
      encoded(batchOfVector(julian, 6), columnSpec('c', 'timestamp'), 'binary').refused.map(({ row }) => row),
    ).toEqual([0, 3, 4, 5]);
  });

  test('a time of 24:00, or past it, is a type-error', () => {
    expect(one({ kind: 'time', unit: 'us' }, 86_400_000_000n, 'time').refused).toHaveLength(1);
    expect(one({ kind: 'time', unit: 'us' }, -1n, 'time').refused).toHaveLength(1);
    expect(one({ kind: 'time', unit: 'ns' }, 86_399_999_999_999n, 'time').refused[0]?.errors[0]?.message).toBe(
      'digits past microseconds',
    );
  });

  test('a single becomes the double of the same value, and the other way round the nearest', () => {
    fc.assert(
      fc.property(fc.float(), (value) => {
        const expected = Buffer.alloc(8);
        expected.writeDoubleBE(value);
        const { data } = one({ kind: 'real' }, value, 'double precision');
        if (!Number.isNaN(value)) expect(data.slice(HEAD + 8)).toBe(expected.toString('hex'));
        expect(one({ kind: 'real' }, value, 'real').accepted).toBe(1);
        if (Number.isFinite(value)) expect(Math.fround(Number(realText(value)))).toBe(value);
      }),
      { numRuns: 300 },
    );
    expect(one({ kind: 'double' }, 1e300, 'real').refused[0]?.errors[0]?.message).toBe('out of range for real');
  });

  test('NaN and Infinity are values of real and double precision only', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      expect(one({ kind: 'double' }, value, 'double precision').accepted).toBe(1);
      expect(one({ kind: 'real' }, value, 'real').accepted).toBe(1);
      for (const to of ['numeric', 'integer', 'bigint'])
        expect(one({ kind: 'double' }, value, to).refused[0]?.errors[0]?.class).toBe('type-error');
    }
  });

  test('bytes are bytes in bytea, and text in any other column when they are UTF-8 without NUL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const value = Buffer.from(bytes);
        const vector = vectorOf({ kind: 'blob' }, [value], false);
        expect(encoded(batchOfVector(vector, 1), columnSpec('c', 'bytea'), 'binary').data.slice(HEAD + 8)).toBe(
          value.toString('hex'),
        );
        const text = encoded(batchOfVector(vector, 1), columnSpec('c', 'text'), 'binary');
        const readable = !bytes.includes(0) && Buffer.from(value.toString()).equals(value);
        expect(text.refused.map(({ errors }) => errors[0]?.class)).toEqual(readable ? [] : ['encoding-error']);
        if (readable) expect(text.data.slice(HEAD + 8)).toBe(value.toString('hex'));
      }),
    );
  });

  test('a text with NUL is an encoding-error of its row, its neighbours are taken', () => {
    const vector = vectorOf({ kind: 'text' }, ['a', 'b\0c', 'd'], false);
    const { accepted, refused } = encoded(batchOfVector(vector, 3), columnSpec('c', 'text'), 'binary');
    expect([accepted, refused]).toEqual([
      2,
      [
        {
          row: 1,
          errors: [
            { column: 'c', class: 'encoding-error', rule: null, message: 'not valid UTF-8, or NUL', value: 'b\\x00c' },
          ],
        },
      ],
    ]);
  });

  test('an interval is told as PostgreSQL reads it', () => {
    const out: CopyBuffer = { buf: Buffer.alloc(64), pos: 0 };
    const vector = vectorOf({ kind: 'interval' }, [
      [14n, -3n, 3_500_000n],
      [0n, 0n, 0n],
      [0n, 1n, 0n],
      [0n, 0n, -90_000_001n],
    ]);
    const texts = [0, 1, 2, 3].map((row) => {
      out.pos = 0;
      putText(vector, row, out);
      return out.buf.toString('utf8', 0, out.pos);
    });
    expect(texts).toEqual(['P14M-3DT3.5S', 'PT0S', 'P1D', 'PT-90.000001S']);
  });
});
