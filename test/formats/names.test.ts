import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnNames } from '../../src/formats/names.js';

const one = (header: string): string => columnNames([header], 'snake')[0]!;

describe('names made from headers', () => {
  test.each([
    ['Order ID', 'order_id'],
    ['customerName', 'customer_name'],
    ['HTTPServer', 'httpserver'],
    ['order2Line', 'order2_line'],
    ['Cost: Total $', 'cost_total'],
    ['  padded  ', 'padded'],
    ['a--b__c', 'a_b_c'],
    ['2024 sales', '_2024_sales'],
    ['Prénom', 'prénom'],
    ['PRE\u0301NOM', 'prénom'],
    ['größeÄ', 'größe_ä'],
    ['日本 語', '日本_語'],
    ['नाम', 'नाम'],
    ['✔️ done', 'done'],
    ['_load_id', 'load_id'],
    ['__proto__', 'proto'],
    ['a"); DROP TABLE x;--', 'a_drop_table_x'],
  ])('%j becomes %j', (header, name) => {
    expect(one(header)).toBe(name);
  });

  test('an empty name is column_N, by its place', () => {
    expect(columnNames(['a', '', '$', 'b'], 'snake')).toEqual(['a', 'column_2', 'column_3', 'b']);
  });

  test('collisions get _2, _3', () => {
    expect(columnNames(['a', 'A', ' a '], 'snake')).toEqual(['a', 'a_2', 'a_3']);
    expect(columnNames(['a', 'a', 'a_2'], 'snake')).toEqual(['a', 'a_2', 'a_2_2']);
  });

  test("PostgreSQL's system names and the lineage columns get _2", () => {
    expect(columnNames(['ctid', 'XMIN', 'tableoid'], 'snake')).toEqual(['ctid_2', 'xmin_2', 'tableoid_2']);
    expect(columnNames(['_load_id', '_row', '_rescued'], 'keep')).toEqual(['_load_id_2', '_row_2', '_rescued_2']);
  });

  test('63 bytes are the most, cut at a character', () => {
    expect(one('x'.repeat(64))).toBe('x'.repeat(63));
    expect(one('é'.repeat(40))).toBe('é'.repeat(31));
    expect(columnNames(['x'.repeat(70), 'x'.repeat(71)], 'snake')).toEqual(['x'.repeat(63), `${'x'.repeat(61)}_2`]);
  });

  test('keep leaves them, still distinct and not empty', () => {
    expect(columnNames(['Order ID', 'Order ID', '', 'a"b'], 'keep')).toEqual([
      'Order ID',
      'Order ID_2',
      'column_3',
      'a"b',
    ]);
  });

  test('are always distinct, not empty, and at most 63 bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'grapheme', maxLength: 80 }),
            fc.constantFrom('a', 'A', 'a_2', 'ctid', '', '_row', 'column_2'),
          ),
        ),
        fc.constantFrom('snake' as const, 'keep' as const),
        (headers, mode) => {
          const names = columnNames(headers, mode);
          expect(names).toHaveLength(headers.length);
          expect(new Set(names).size).toBe(names.length);
          for (const name of names) {
            expect(name).not.toBe('');
            expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
            expect(Buffer.from(name).toString()).toBe(name);
          }
        },
      ),
    );
  });
});
