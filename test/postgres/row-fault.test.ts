import { describe, expect, test } from 'vitest';
import type { ServerError } from '../../src/postgres/connect/errors.js';
import { cellOf, publicRowMessage, rowFault } from '../../src/postgres/connect/row-fault.js';

const server = (code: string, fields: Partial<ServerError> = {}, message = 'said'): ServerError =>
  Object.assign(new Error(message), { code, severity: 'ERROR', ...fields });

describe('whose fault an error of COPY may be', () => {
  test.each([
    ['a constraint', server('23514'), 'row'],
    ['a text of a type that only PostgreSQL reads', server('42601', { where: 'COPY t, line 3, column a: "x"' }), 'row'],
    ['the same in German', server('42601', { where: 'COPY t, Zeile 3, Spalte a: »x«' }), 'row'],
    ['raised by a trigger', server('40001', { routine: 'exec_stmt_raise' }), 'row'],
    ['a trigger that failed', server('42P01', { where: 'PL/pgSQL function f() line 1 at PERFORM' }), 'perhaps'],
    [
      'a cell that looks like CONTEXT',
      server('42P01', { where: 'COPY t, line 3: "1, line 3, column a: "' }),
      'perhaps',
    ],
    ['an internal error', server('XX000'), 'perhaps'],
    ['a full disk', server('53100', { where: 'COPY t, line 3, column a: "x"' }), 'never'],
    ['a lock', server('55P03'), 'never'],
    ['a deadlock', server('40P01'), 'never'],
    ['a damaged page', server('XX001'), 'never'],
    ['the end of the session', server('57P01', { severity: 'FATAL' }), 'never'],
    ['bytes that are no COPY', server('22P04'), 'never'],
  ] as const)('%s', (_what, error, fault) => {
    expect(rowFault(error)).toBe(fault);
  });

  test('a constraint that a shard of Citus enforces: what the coordinator says has no SQLSTATE, constraint or CONTEXT', () => {
    // As Citus 13.2 gave it: a CHECK on a table that is distributed by id.
    const recorded = server(
      'XX000',
      { detail: 'Failing row contains (9, 2, -1, n1).', severity: 'ERROR' },
      'new row for relation "t_102008" violates check constraint "t_id_check_102008"',
    );
    expect(rowFault(recorded)).toBe('row');
    expect(rowFault(server('XX000', { detail: 'server closed the connection (unexpectedly)' }))).toBe('perhaps');
  });
});

test('the column is the one that CONTEXT names', () => {
  expect(cellOf({ where: 'COPY t, line 3, column a b: "x"' })).toBe('a b');
  expect(cellOf({ where: 'COPY t, line 3, column a' })).toBe('a');
  expect(cellOf({ where: 'COPY t, line 3: "a,b"' })).toBeNull();
  expect(cellOf({ where: undefined })).toBeNull();
});

test('words of the server are told only when none of them stands in the row', () => {
  const where = 'PL/pgSQL function f() line 1 at EXECUTE';
  const missing = server('42P01', { where }, 'relation "audit" does not exist');
  expect(publicRowMessage(missing, Buffer.from('1,x'))).toBe(
    'PostgreSQL: relation "audit" does not exist (SQLSTATE 42P01)',
  );
  expect(publicRowMessage(missing, Buffer.from('1,AUDIT'))).toBe(
    `PostgreSQL refused a value (SQLSTATE 42P01, ${where})`,
  );
});
