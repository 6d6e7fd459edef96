import { describe, expect, test } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import {
  classify,
  databaseError,
  definitionError,
  endsSession,
  publicMessage,
} from '../../src/postgres/connect/errors.js';

const server = (code: string, message = 'said', fields: object = {}): Error =>
  Object.assign(new Error(message), { code, severity: 'ERROR', ...fields });
const fatal = (code: string): Error => server(code, 'said', { severity: 'FATAL' });
const socket = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe('whose fault an error is', () => {
  test.each([
    ['22P02', 'row'],
    ['22003', 'row'],
    ['23502', 'row'],
    ['23505', 'row'],
    ['23514', 'row'],
    ['23P01', 'row'],
    ['P0001', 'row'],
    ['54000', 'row'],
    ['22P03', 'bug'],
    ['22P04', 'bug'],
    ['40001', 'transient'],
    ['40P01', 'transient'],
    ['53100', 'transient'],
    ['55P03', 'transient'],
    ['57014', 'transient'],
    ['25006', 'transient'],
    ['42P01', 'misfit'],
    ['42703', 'misfit'],
    ['0A000', 'misfit'],
    ['54011', 'misfit'],
    ['42501', 'rights'],
    ['28P01', 'login'],
    ['3D000', 'login'],
    ['57P01', 'lost'],
    ['25P03', 'lost'],
    ['08006', 'lost'],
    ['XX000', 'refused'],
    ['XX001', 'refused'],
  ])('SQLSTATE %s: %s', (code, fault) => {
    expect(classify(server(code))).toBe(fault);
  });

  test.each([
    'server conn crashed?',
    'query_wait_timeout',
    'server login has been failing, try again later',
    'whatever',
  ])(
    'what a pooler says ("%s") in PostgreSQL\'s place is an outage; what the server says of our protocol is our bug',
    (message) => {
      for (const severity of ['FATAL', 'ERROR']) {
        expect(classify(server('08P01', message, { severity }))).toBe('lost');
        expect(databaseError(server('08P01', message, { severity })).code).toBe('DATABASE_UNREACHABLE');
      }
      expect(classify(server('08P01', message, { routine: 'pq_getmsgend' }))).toBe('bug');
    },
  );

  test('a pooler without transactions, an event trigger, a missing right and a replica identity are told with what to do', () => {
    const pooling = databaseError(server('08P01', 'transaction blocks not allowed in statement pooling mode'));
    expect([pooling.code, pooling.blame, pooling.fix]).toMatchObject([
      'POOL_MODE',
      'pause',
      expect.stringContaining('pool_mode'),
    ]);
    expect(definitionError(server('P0001', 'no tables on Fridays'), 'creating t')).toMatchObject({
      code: 'CONTRACT_MISFIT',
      message: 'creating t: PostgreSQL: no tables on Fridays (SQLSTATE P0001)',
    });
    expect(definitionError(server('42501'), 'creating t', 'GRANT it').fix).toBe('GRANT it');
    expect(databaseError(server('42501')).fix).not.toContain('in the message');
    expect(databaseError(server('0A000')).fix).not.toContain('ALTER');
    const identity = databaseError(server('55000', 'said', { routine: 'CheckCmdReplicaIdentity' }));
    expect([identity.code, identity.fix]).toMatchObject([
      'CONTRACT_MISFIT',
      expect.stringContaining('REPLICA IDENTITY FULL'),
    ]);
  });

  test.each([
    ['55P03', 'table'],
    ['40P01', 'table'],
    ['55006', 'table'],
    ['40001', 'file'],
    ['55000', 'file'],
    ['58P01', 'file'],
    ['57014', 'file'],
    ['53100', 'database'],
    ['53300', 'database'],
    ['57P03', 'database'],
    ['58030', 'database'],
    ['25006', 'database'],
  ])('SQLSTATE %s reaches as far as the %s', (code, reach) => {
    expect(databaseError(server(code))).toMatchObject({ code: 'DATABASE_BUSY', reach });
  });

  test('no transaction numbers left: not a row that is too big, although the code is the same', () => {
    expect(classify(server('54000', 'said', { routine: 'GetNewTransactionId' }))).toBe('transient');
  });

  test.each([
    ['28P01', 'login'],
    ['3D000', 'login'],
    ['42501', 'rights'],
    ['53300', 'transient'],
    ['57P03', 'transient'],
    ['57P01', 'lost'],
    ['XX000', 'lost'],
  ])('FATAL %s: %s', (code, fault) => {
    expect(classify(fatal(code))).toBe(fault);
  });

  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EMFILE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EPIPE',
    'EAI_AGAIN',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ])('%s of the socket: lost', (code) => {
    expect(classify(socket(code))).toBe('lost');
    expect(endsSession(socket(code))).toBe(true);
  });

  test.each([
    'Connection terminated unexpectedly',
    'Connection terminated',
    'timeout expired',
    'Client has encountered a connection error and is not queryable',
  ])('the driver says "%s": lost', (message) => {
    expect(classify(new Error(message))).toBe('lost');
  });

  test('several addresses that all refuse: lost', () => {
    expect(classify(new AggregateError([socket('ECONNREFUSED'), socket('ECONNREFUSED')]))).toBe('lost');
  });

  test('BEGIN READ WRITE on a standby: transient, though its SQLSTATE says missing feature', () => {
    expect(
      classify(
        server('0A000', 'cannot set transaction read-write mode during recovery', { routine: 'call_bool_check_hook' }),
      ),
    ).toBe('transient');
  });

  test('an error of our own keeps its kind', () => {
    expect(classify(new TallymanError('DATABASE_UNREACHABLE', 'x'))).toBe('lost');
    expect(classify(new TallymanError('FILE_CORRUPT', 'x'))).toBe('refused');
    expect(classify(new TypeError('x is not a function'))).toBe('refused');
  });
});

describe('the error that people read', () => {
  test.each([
    [server('42501'), 'DATABASE_RIGHTS'],
    [fatal('28P01'), 'DATABASE_LOGIN'],
    [fatal('57P03'), 'DATABASE_BUSY'],
    [socket('ECONNREFUSED'), 'DATABASE_UNREACHABLE'],
    [server('42P01'), 'CONTRACT_MISFIT'],
    [server('22P04'), 'INTERNAL'],
    [server('23505'), 'DATABASE_REFUSED'],
    [server('XX001'), 'DATABASE_REFUSED'],
  ])('%s becomes %s', (error, code) => {
    expect(databaseError(error).code).toBe(code);
  });

  test('says what was being done and the SQLSTATE', () => {
    expect(databaseError(server('42P01', 'relation "x" does not exist'), 'counting').message).toBe(
      'counting: PostgreSQL: relation "x" does not exist (SQLSTATE 42P01)',
    );
  });

  test('passes an error of our own through', () => {
    const own = new TallymanError('CONTRACT_MISFIT', 'x');
    expect(databaseError(own, 'doing')).toBe(own);
  });

  test('never quotes a value, in message or cause: class 22 and P0 do so in the message, the others in detail and context', () => {
    const fields = { detail: 'Key (a)=(CANARY)', where: 'COPY t, line 3, column a: "CANARY"', table: 't', column: 'a' };
    const errors = [
      server('22P02', 'invalid input syntax for type integer: "CANARY"', fields),
      server('P0001', 'CANARY is bad', fields),
      server('23514', 'CANARY', { detail: 'CANARY' }),
      server('23505', 'duplicate key value violates unique constraint "u"', { ...fields, constraint: 'u' }),
    ];
    for (const error of errors) {
      const shown = databaseError(error, 'loading');
      expect(
        [shown.message, shown.fix, String(shown.cause), JSON.stringify(shown.cause), JSON.stringify(shown)].join(),
      ).not.toContain('CANARY');
    }
    expect(publicMessage(errors[3])).toContain('constraint "u"');
  });
});
