import { describe, expect, test } from 'vitest';
import { columnProblems } from '../../src/columns/column-problems.js';
import { type Column, compileColumn, type CopyMode } from '../../src/columns/column.js';
import { pgTypeNamed } from '../../src/columns/type-name.js';
import { NULL_WRITTEN, type CopyBuffer, type PgType } from '../../src/core/codec.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import { columnSpec } from './batches.js';
import { catalogType } from './support.js';

function column(type: string, more: Partial<ColumnSpec> = {}, mode: CopyMode = 'text', real?: PgType): Column {
  const pgType = real ?? pgTypeNamed(type);
  if (pgType === null) throw new Error(`no type ${type}`);
  return compileColumn(columnSpec('c', type, more), pgType, 'UTC', mode);
}

/** The field that a cell becomes, NULL, or its faults as `rule: message` (type-error: the message). */
function cell(of: Column, text: string): string | readonly string[] {
  const bytes = Buffer.from(`,${text},`);
  const out: CopyBuffer = { buf: Buffer.alloc(of.maxSize(bytes.length) + 2), pos: 1 };
  const code = of.encode(bytes, 1, bytes.length - 1, out);
  const faults = of.faults(bytes, 1, bytes.length - 1);
  expect(faults.length > 0).toBe(code > 0 || (code === NULL_WRITTEN && of.nullField === null));
  for (const fault of faults)
    expect(fault).toMatchObject({
      column: 'c',
      class: fault.rule === null ? 'type-error' : 'constraint-error',
      value: text === '' ? null : text,
    });
  if (faults.length > 0) {
    expect(out.pos).toBe(1);
    return faults.map(({ rule, message }) => (rule === null ? message : `${rule}: ${message}`));
  }
  return code === NULL_WRITTEN ? 'NULL' : out.buf.toString('utf8', 1, out.pos);
}

describe.each(['binary', 'text'] as const)('a column in %s mode', (mode) => {
  const accepts = (of: Column, text: string): boolean => typeof cell(of, text) === 'string';

  test('min and max are inclusive and compare values, not texts', () => {
    const amount = column('numeric(12,2)', { min: '-1', max: '100.5' }, mode);
    expect(['-1', '-1.00', '0', '99.99', '100.50', '2'].every((text) => accepts(amount, text))).toBe(true);
    expect(cell(amount, '-1.01')).toEqual(['min: less than -1']);
    expect(cell(amount, ' 100.51 ')).toEqual(['max: more than 100.5']);
    const day = column('date', { min: '2020-01-01', formats: ['%d/%m/%Y'] }, mode);
    expect(accepts(day, '01/01/2020')).toBe(true);
    expect(cell(day, '31/12/2019')).toEqual(['min: less than 2020-01-01']);
    const at = column('timestamptz', { max: '2024-01-01T00:00:00Z', timezone: 'Europe/Paris' }, mode);
    expect(accepts(at, '2024-01-01T01:00:00')).toBe(true);
    expect(accepts(at, '2024-01-01T01:00:00.000001')).toBe(false);
    const name = column('text', { min: 'B', max: 'D' }, mode);
    expect(['B', 'Bz', 'D'].every((text) => accepts(name, text))).toBe(true);
    expect(['A', 'Da', 'é'].some((text) => accepts(name, text))).toBe(false);
  });

  test('bounds are written plainly, whatever the signs of the cells', () => {
    const amount = column('numeric', { min: '0.5', decimal: ',', thousands: '.' }, mode);
    expect(accepts(amount, '1.000,25')).toBe(true);
    expect(cell(amount, '0,25')).toEqual(['min: less than 0.5']);
  });

  test('min_length and max_length count characters', () => {
    const name = column('text', { minLength: 2, maxLength: 3 }, mode);
    expect(['ab', 'äöü', '\u{1f600}\u{1f600}\u{1f600}', 'a  '].every((text) => accepts(name, text))).toBe(true);
    expect(cell(name, '\u{1f600}')).toEqual(['min_length: shorter than 2 characters']);
    expect(cell(name, 'äöüß')).toEqual(['max_length: longer than 3 characters']);
  });

  test('pattern is not anchored, and . is one whole character', () => {
    expect(accepts(column('text', { pattern: '[0-9]{3}' }, mode), 'ab123c')).toBe(true);
    expect(cell(column('text', { pattern: '^[A-Z]{3}$' }, mode), 'abc')).toEqual([
      'pattern: does not match ^[A-Z]{3}$',
    ]);
    expect(accepts(column('text', { pattern: '^.$' }, mode), '\u{1f600}')).toBe(true);
    expect(accepts(column('text', { pattern: '^\\d+\\-\\d+$' }, mode), '1-2')).toBe(true);
    expect(accepts(column('integer', { pattern: '^[1-9]' }, mode), ' 5 ')).toBe(true);
  });

  test('enum means exactly these texts, after trim', () => {
    const currency = column('text', { enum: ['EUR', 'USD', 'GBP'], trim: true }, mode);
    expect(['EUR', ' USD ', 'GBP'].every((text) => accepts(currency, text))).toBe(true);
    expect(cell(currency, 'eur')).toEqual(['enum: not one of EUR, USD, GBP']);
    expect(accepts(column('text', { enum: ['EUR'] }, mode), ' EUR')).toBe(false);
    expect(accepts(column('integer', { enum: ['1', '2'] }, mode), '\t2')).toBe(true);
    expect(accepts(column('integer', { enum: ['1', '2'] }, mode), '02')).toBe(false);
    const many = Array.from({ length: 500 }, (_, i) => `v${i}`);
    expect(many.every((text) => accepts(column('text', { enum: many }, mode), text))).toBe(true);
    expect(cell(column('text', { enum: many }, mode), 'v500')).toEqual([
      'enum: not one of v0, v1, v2, v3, v4, v5, v6, v7, v8, v9 and 490 more',
    ]);
  });

  test('all broken rules of a cell are told', () => {
    const code = column('text', { maxLength: 2, pattern: '^[A-Z]+$', enum: ['AB'] }, mode);
    expect(cell(code, 'abc')).toEqual([
      'max_length: longer than 2 characters',
      'pattern: does not match ^[A-Z]+$',
      'enum: not one of AB',
    ]);
  });

  test('a cell that is no value of the type is a type-error and nothing else', () => {
    expect(cell(column('integer', { min: '0', pattern: '^[0-9]$' }, mode), '12x')).toEqual(['not an integer']);
    expect(cell(column('date', {}, mode), '2023-02-29')).toEqual(['no such day in the calendar']);
  });

  test('required refuses NULL and blank, but an empty text is a value', () => {
    expect(cell(column('integer', { required: true }, mode), ' ')).toEqual(['required: empty, but required']);
    expect(cell(column('integer', {}, mode), ' ')).toBe('NULL');
    expect(typeof cell(column('text', { required: true }, mode), '')).toBe('string');
    expect(column('text', { required: true }, mode).nullField).toBeNull();
    expect(column('text', {}, mode).nullField).not.toBeNull();
  });
});

test('trim drops blanks around text; without it they stay', () => {
  expect(cell(column('text', { trim: true }), ' a b\t')).toBe('a b');
  expect(cell(column('text', { trim: true }), '   ')).toBe('');
  expect(cell(column('varchar(3)', { trim: true }), ' abc ')).toBe('abc');
  expect(cell(column('text'), ' a ')).toBe(' a ');
});

test("a default is written where a NULL would be, in the type's own form", () => {
  const half = column('numeric(5,2)', { default: '0.5' }, 'binary').nullField;
  expect(column('numeric(5,2)', { default: '0.50', decimal: ',' }, 'binary').nullField).toEqual(half);
  expect(column('numeric(5,2)', { default: '0,50', decimal: ',' }, 'binary').nullField).toEqual(half);
  expect(column('date', { default: '31/12/2024', formats: ['%d/%m/%Y'] }).nullField?.toString()).toBe('2024-12-31');
  expect(column('date', { default: '2024-12-31', formats: ['%d/%m/%Y'], required: true }).nullField?.toString()).toBe(
    '2024-12-31',
  );
  expect(column('integer', { default: '7' }, 'binary').nullField).toEqual(Buffer.from([0, 0, 0, 4, 0, 0, 0, 7]));
  expect(column('text', { default: '' }, 'binary').nullField).toEqual(Buffer.alloc(4));
  expect(column('text', { default: 'a\tb\\' }).nullField?.toString()).toBe('a\\tb\\\\');
});

test("timestamptz without an offset is read in the feed's timezone unless the column has its own", () => {
  const spec = columnSpec('c', 'timestamptz');
  const type = pgTypeNamed('timestamptz')!;
  expect(cell(compileColumn(spec, type, 'Europe/Paris', 'text'), '2024-07-01 12:00')).toBe(
    '2024-07-01 12:00:00+02:00:00',
  );
  expect(
    cell(compileColumn({ ...spec, timezone: 'Asia/Kolkata' }, type, 'Europe/Paris', 'text'), '2024-07-01 12:00'),
  ).toBe('2024-07-01 12:00:00+05:30:00');
});

test("the feed's timezone does not make offsets of a timestamp meaningful", () => {
  const of = compileColumn(columnSpec('c', 'timestamp'), pgTypeNamed('timestamp')!, 'Europe/Paris', 'text');
  expect(cell(of, '2024-07-01T12:00Z')).toEqual(['has an offset from UTC, but the column has no timezone']);
});

test('a type without binary codec goes through text COPY only', () => {
  const interval = catalogType('interval');
  expect(cell(column('text', {}, 'text', interval), ' 1 day ')).toBe('1 day');
  expect(() => column('text', {}, 'binary', interval)).toThrow(/can only be written through text COPY/);
  expect(() => column('text', { min: '1 day' }, 'text', interval)).toThrow(/min cannot be used/);
});

test('what the real type cannot hold is a misfit that names column and type', () => {
  expect(() => column('text', { default: 'none' }, 'binary', pgTypeNamed('integer')!)).toThrow(
    'column c (integer): default "none" is not an integer',
  );
});

describe('columnProblems', () => {
  test.each<[string, Partial<ColumnSpec>]>([
    ['text', { enum: ['a', ''], pattern: '^.', minLength: 0, maxLength: 0 }],
    ['numeric(12,2)', { min: '0', max: '0', default: '1,5', decimal: ',' }],
    ['date', { min: '2020-01-01', formats: ['%d/%m/%Y', 'epoch_s'] }],
    ['timestamptz', { timezone: 'Europe/Paris', default: '1970-01-01' }],
    ['boolean', { trueValues: ['ja'], falseValues: ['nein'], default: 'false' }],
    ['time(3)', { formats: ['%H%M%S'], max: '23:00' }],
    ['bytea', { default: '\\x00' }],
  ])('finds nothing wrong with %s %j', (type, more) => {
    expect(columnProblems(columnSpec('c', type, more))).toEqual([]);
  });

  test.each<[string, Partial<ColumnSpec>, readonly string[]]>([
    ['number', {}, ['type "number" is unknown; the types are text, varchar']],
    [
      'integer',
      { min: 'x', max: '1.5', default: 'none' },
      ['min "x" is not an integer', 'max "1.5" is not an integer', 'default "none" is not an integer'],
    ],
    ['integer', { min: '5', max: '3' }, ['min 5 is more than max 3']],
    ['integer', { default: '' }, ['default "" is not an integer']],
    ['integer', { enum: ['1', 'two'] }, ['enum: "two" is not an integer, so no cell can hold it']],
    ['text', { minLength: 3, maxLength: 2 }, ['min_length 3 is more than max_length 2']],
    ['text', { pattern: '(' }, ['pattern "(" is not a JavaScript regular expression']],
    ['text', { formats: ['%Y'] }, ['format is for dates and times, not for text']],
    [
      'text',
      { trueValues: ['ja'], falseValues: ['nein'] },
      ['true_values is for boolean, not for text', 'false_values is for boolean, not for text'],
    ],
    ['json', { min: '1' }, ['min cannot be used: values of type json have no order']],
    [
      'date',
      { formats: ['%d/%m', '%Q'] },
      ['format "%d/%m" has no year (%Y or %y)', 'format "%Q": %Q is not a letter of date formats'],
    ],
    [
      'timestamptz',
      { timezone: 'Europe/Atlantis' },
      ['timezone "Europe/Atlantis" is no zone of the IANA database (such as Europe/Paris)'],
    ],
    [
      'timestamptz',
      { min: '2024-03-31 02:30', timezone: 'Europe/Paris' },
      ['min "2024-03-31 02:30" is not a timestamptz'],
    ],
  ])('of %s %j are told', (type, more, expected) => {
    const problems = columnProblems(columnSpec('c', type, more));
    expect(problems).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(problems[index]).toContain(text);
  });
});
