import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { changedContract } from '../../src/config/changed-contract.js';
import type { DriftNote } from '../../src/core/format.js';
import { column } from '../load/support.js';

const unknown = (name: string): DriftNote => ({ kind: 'unknown', column: name, message: '' });
const missing = (name: string): DriftNote => ({ kind: 'missing', column: name, message: '' });
const columns = [
  column('id', 'bigint', { required: true }),
  column('amount', 'numeric(12,2)', { decimal: ',' }),
  column('gone'),
];

describe('the contract as a file has it', () => {
  test('new columns come last as text, missing ones are comments', () => {
    expect(
      changedContract({ columns, names: 'snake' }, [unknown('Total Amount'), unknown('extra'), missing('gone')]),
    ).toBe(
      [
        'columns:',
        '  - { name: id, type: bigint, required: true }',
        '  - { name: amount, type: "numeric(12,2)", decimal: "," }',
        '  # - { name: gone, type: text }   # not in the file',
        '  - { name: total_amount, from: Total Amount, type: text }   # new',
        '  - { name: extra, type: text }   # new',
      ].join('\n'),
    );
  });

  test('new columns have the type that the format carries', () => {
    expect(
      changedContract({ columns: [column('id', 'bigint')], names: 'snake' }, [
        { ...unknown('At'), type: 'timestamptz' },
        { ...unknown('sum'), type: 'numeric(9,2)' },
      ]),
    ).toBe(
      [
        'columns:',
        '  - { name: id, type: bigint }',
        '  - { name: at, from: At, type: timestamptz }   # new',
        '  - { name: sum, type: "numeric(9,2)" }   # new',
      ].join('\n'),
    );
  });

  test('can be pasted, whatever the header holds', () => {
    const header = 'a: "b" # c\n\u001b{}';
    expect(parse(changedContract({ columns, names: 'keep' }, [unknown(header)]) ?? '')).toMatchObject({
      columns: [{}, {}, {}, { name: header, type: 'text' }],
    });
    expect(changedContract({ columns, names: 'keep' }, [unknown(header)])).not.toContain('\u001b');
  });

  test('of a long contract shows what changes', () => {
    const long = Array.from({ length: 200 }, (_, i) => column(`c${i}`));
    expect(changedContract({ columns: long, names: 'snake' }, [unknown('new'), missing('c7')])).toBe(
      [
        'columns:',
        '  # 199 columns as they are, and of the others:',
        '  # - { name: c7, type: text }   # not in the file',
        '  - { name: new, type: text }   # new',
      ].join('\n'),
    );
  });

  test('is nothing without a contract or without a difference', () => {
    expect(changedContract({ columns: null, names: 'snake' }, [unknown('a')])).toBeNull();
    expect(changedContract({ columns, names: 'snake' }, [{ kind: 'renamed', column: 'id', message: '' }])).toBeNull();
  });
});
