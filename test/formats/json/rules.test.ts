import { describe, expect, test } from 'vitest';
import { ESCAPED, NULL_CELL, QUOTED } from '../../../src/core/batch.js';
import { columnFrom, openText, read, records, texts } from './helpers.js';

describe('cells', () => {
  test('are the value for strings, the text as it stands for all else, NULL for null', async () => {
    const columns = ['s', 'n', 't', 'f', 'z', 'o', 'l'];
    const text = '{"s":"x y","n":-1.50E+3,"t":true,"f":false,"z":null,"o":{ "a" : 1 },"l":[1, 2]}';
    expect(await records(text, {}, { columns })).toEqual([
      { s: 'x y', n: '-1.50E+3', t: 'true', f: 'false', z: null, o: '{ "a" : 1 }', l: '[1, 2]' },
    ]);
  });

  test('keep every digit of a number', async () => {
    const numbers = ['123456789012345678901234567890', '1e400', '-0', '0.1000000000000000000000000000001', '1E-400'];
    expect(await records(numbers.map((n) => `{"n":${n}}`).join('\n'), {}, { columns: ['n'] })).toEqual(
      numbers.map((n) => ({ n })),
    );
  });

  test('resolve every escape', async () => {
    const string = String.raw`"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD83D\uDE00é😀"`;
    expect(await records(`{"s":${string}}`, {}, { columns: ['s'] })).toEqual([{ s: '"\\/\b\f\n\r\tAé€😀é😀' }]);
  });

  test('tell quotes, escapes and NULL by their flags', async () => {
    const reader = await openText(String.raw`{"a":"x","b":"\n","c":1,"d":null}`, {}, { columns: ['a', 'b', 'c', 'd'] });
    expect([...(await reader.next())!.flags.subarray(0, 4)]).toEqual([QUOTED, QUOTED | ESCAPED, 0, NULL_CELL]);
  });

  test('of json and jsonb columns are JSON text, quotes included; "" is NULL there', async () => {
    const columns = ['a:jsonb', 'b:json', 'c:jsonb', 'd:jsonb', 'e:jsonb', 't:text=a'];
    expect(await records('{"a":"x\\n","b":"1","c":"","d":null,"e":[1]}', {}, { columns })).toEqual([
      { a: 'x\n', b: '"1"', c: null, d: null, e: '[1]' },
    ]);
    expect(await read('{"a":"x\\n","b":"1","c":"","d":null,"e":[1]}', {}, { columns })).toMatchObject([
      { cells: ['"x\\n"', '"1"', null, null, '[1]', 'x\n'] },
    ]);
  });

  test('are missing where the record has no such key', async () => {
    expect(await records('{"a":1}\n{"b":null}\n{}', {}, { columns: ['a', 'b'] })).toEqual([
      { a: '1' },
      { b: null },
      {},
    ]);
  });

  test('are found in any order of keys, and by escaped keys', async () => {
    const lines = [
      '{"a":1,"b":2,"c":3}',
      '{"c":3,"a":1,"b":2}',
      '{"b":2,"x":0,"c":3,"a":1}',
      '{"\\u0061":1,"b":2,"\\u0063":3}',
      '{"a":1,"b":2,"c":3}',
    ];
    expect(await records(lines.join('\n'), {}, { columns: ['a', 'b', 'c'] })).toEqual(
      lines.map(() => ({ a: '1', b: '2', c: '3' })),
    );
  });

  test('are found by keys with quotes, backslashes, control characters and letters of several bytes', async () => {
    const keys = ['a"b', 'a\\b', 'a\nb', 'é日😀', '', ' ', 'constructor', '__proto__'];
    const record = `{${keys.map((key, i) => `${JSON.stringify(key)}:${i}`).join(',')}}`;
    const columns = keys.map((key, i) => columnFrom(`c${i}`, key));
    expect(await read(`${record}\n${record}`, {}, { columns })).toMatchObject([
      { cells: keys.map((_, i) => String(i)) },
      { cells: keys.map((_, i) => String(i)) },
    ]);
    // The key a\b as it stands between quotes means a and a backspace.
    expect(await records('{"a\\b":1}', {}, { columns: [columns[1]!] })).toEqual([{}]);
  });

  test('hold NUL where an escape says so, for the encoder to refuse', async () => {
    expect(await records('{"a":"x\\u0000y"}', {}, { columns: ['a'] })).toEqual([{ a: 'x\0y' }]);
  });
});

describe('half a surrogate pair', () => {
  test.each(['\\ud800', '\\udc00', '\\ud800x', '\\ud800\\n', '\\ud800\\ud800', '\\ud83d\\u0041', '\\udc00\\ud800'])(
    '%s makes the record a json-error that names the column',
    async (half) => {
      expect(
        await read(`{"id":1,"a":"${half}"}\n{"a":"\\ud83d\\ude00"}`, {}, { columns: ['id', 'b=a'] }),
      ).toMatchObject([{ fault: 'json-error', message: 'half a surrogate pair' }, { cells: ['😀'] }]);
      const reader = await openText(`{"a":"${half}"}`, {}, { columns: ['b=a'] });
      expect((await reader.next())?.faults[0]).toMatchObject({ column: 'b' });
    },
  );

  test('does no harm where no column reads it, nor in a value that a later one replaces', async () => {
    expect(await records('{"x":"\\ud800","a":1}\n{"a":"\\ud800","a":2}', {}, { columns: ['a'] })).toEqual([
      { a: '1' },
      { a: '2' },
    ]);
  });
});

describe('from', () => {
  const deep = '{"a":{"b":{"c":7},"l":[{"id":1},{"id":"two"},[3]]},"a.b":"exact"}';

  test.each([
    ['a.b.c', { v: '7' }],
    ['a.l[0].id', { v: '1' }],
    ['a.l[1].id', { v: 'two' }],
    ['a.l[2][0]', { v: '3' }],
    ['a.l[3]', {}],
    ['a.l.id', {}],
    ['a[0]', {}],
    ['a.b', { v: 'exact' }],
    ['a.b.c.d', {}],
    ['a', { v: '{"b":{"c":7},"l":[{"id":1},{"id":"two"},[3]]}' }],
    ['nothing|a.l[1].id|a', { v: 'two' }],
  ])('%s', async (from, expected) => {
    expect(Object.values((await records(deep, {}, { columns: [`v=${from}`] }))[0] as object)).toEqual(
      Object.values(expected),
    );
  });

  test('a path reaches inside only where no key is called so', async () => {
    expect(await read('{"a":{"b":1}}\n{"a":{"b":1},"a.b":2}\n{"a.b":3}', {}, { columns: ['v=a.b'] })).toMatchObject([
      { cells: ['1'] },
      { cells: ['2'] },
      { cells: ['3'] },
    ]);
  });

  test('an object and what is inside it can both be columns', async () => {
    expect(await read('{"a":{"b":{"c":1}}}', {}, { columns: ['a:jsonb', 'b:jsonb=a.b', 'c=a.b.c'] })).toMatchObject([
      { cells: ['{"b":{"c":1}}', '{"c":1}', '1'] },
    ]);
    expect(
      (await openText('', {}, { columns: ['a:jsonb', 'b:jsonb=a.b', 'c=a.b.c'] })).layout.overlap,
    ).toBeGreaterThanOrEqual(3);
    expect((await openText('', {}, { columns: ['a', 'b'] })).layout.overlap).toBe(1);
  });

  test('aliases: the first that is there, NULL or not', async () => {
    expect(
      await read('{"new":1,"old":2}\n{"old":2}\n{"old":2,"new":null}\n{}', {}, { columns: ['v=new|old'] }),
    ).toMatchObject([{ cells: ['1'] }, { cells: ['2'] }, { cells: [null] }, { cells: [] }]);
  });

  test('a position is a misfit', async () => {
    await expect(openText('{}', {}, { columns: [columnFrom('a', 1)] })).rejects.toMatchObject({
      code: 'CONTRACT_MISFIT',
    });
  });

  test('a key that differs in case and surrounding space is taken when the exact one is nowhere', async () => {
    const reader = await openText('{"Title ":1,"b":2}\n{"Title ":3}', {}, { columns: ['title', 'b'] });
    expect(reader.layout.drift).toMatchObject([{ kind: 'renamed', column: 'title' }]);
    expect(await read('{"Title ":1,"b":2}\n{"Title ":3}', {}, { columns: ['title', 'b'] })).toMatchObject([
      { cells: ['1', '2'] },
      { cells: ['3'] },
    ]);
    expect(await records('{"Title":1,"title":2}\n{"Title":3}', {}, { columns: ['title'] })).toEqual([
      { title: '2' },
      {},
    ]);
    expect(await records('{"Title":1,"TITLE":2}', {}, { columns: ['title'] })).toEqual([{}]);
  });
});

describe('repeated keys', () => {
  test('the last one counts, as in JSON.parse, whatever the earlier one held', async () => {
    const texts = [
      '{"a":1,"a":2}',
      '{"a":{"b":1},"a":{"c":2}}',
      '{"a":{"b":1},"a":3}',
      '{"a":{"b":1},"b":5,"a":{}}',
      '{"a":{"b":1,"b":[2]}}',
    ];
    for (const text of texts) {
      const value = JSON.parse(text) as { a: unknown };
      const inner = (value.a as { b?: unknown } | null)?.b;
      const [row] = await read(text, {}, { columns: ['a:jsonb', 'ab:jsonb=a.b'] });
      expect(row?.cells?.map((cell) => JSON.parse(cell ?? 'null') as unknown)).toEqual(
        inner === undefined ? [value.a] : [value.a, inner],
      );
    }
  });

  test('are counted and told once a key', async () => {
    const reader = await openText(
      '{"a":1,"a":2,"a":3}\n{"a":1}\n{"x":1,"a":1,"a":1,"x":2}\n',
      {},
      { columns: ['a'], window: 8, chunks: [1] },
    );
    while ((await reader.next()) !== null);
    expect(reader.layout.drift.filter(({ message }) => message.startsWith('stands'))).toEqual([
      { kind: 'ignored', column: 'a', message: 'stands more than once in 2 records: the last value counts' },
      { kind: 'ignored', column: 'x', message: 'stands more than once in 1 record: the last value counts' },
    ]);
  });
});

describe('keys that the contract does not know', () => {
  const late = (count: number): string => `${'{"a":1}\n'.repeat(count)}{"a":1,"late":2}\n{"a":3}`;

  test('are ignored and told once each, also those that come late', async () => {
    const reader = await openText(
      `{"a":1,"x":1}\n{"x":2,"y":{"a":5}}\n${late(10)}`,
      {},
      { columns: ['a'], window: 30 },
    );
    while ((await reader.next()) !== null);
    expect(reader.layout.drift.map(({ kind, column }) => `${kind} ${column}`).sort()).toEqual([
      'ignored late',
      'ignored x',
      'ignored y',
    ]);
    expect(reader.layout.unknown).toEqual([]);
  });

  test('become columns of the file under add, rescue and reject', async () => {
    const reader = await openText(
      '{"a":1,"x":"é\\n"}\n{"y":[1],"a":2}',
      {},
      { columns: ['a'], onUnknownColumn: 'rescue' },
    );
    expect(reader.layout).toMatchObject({
      fileColumns: [{ name: 'a' }, { name: 'x' }, { name: 'y' }],
      cellOf: [0],
      unknown: [1, 2],
    });
    expect(
      await records('{"a":1,"x":"é\\n"}\n{"y":[1],"a":2}', {}, { columns: ['a'], onUnknownColumn: 'add' }),
    ).toEqual([
      { a: '1', x: 'é\n' },
      { y: '[1]', a: '2' },
    ]);
  });

  test('that come behind the sample reject the file under reject', async () => {
    const reader = await openText(late(20), {}, { columns: ['a'], onUnknownColumn: 'reject', window: 16 });
    await expect(
      (async () => {
        while ((await reader.next()) !== null);
      })(),
    ).rejects.toMatchObject({
      code: 'UNKNOWN_COLUMNS',
      message: 'Record 21 (line 21) has "late", which the contract does not know.',
    });
  });

  test('that come behind the sample refuse their record under add and rescue: nothing is lost', async () => {
    for (const onUnknownColumn of ['add', 'rescue'] as const) {
      const rows = await read(late(20), {}, { columns: ['a'], onUnknownColumn, window: 16, batchRows: 3, chunks: [5] });
      expect(rows.map((row) => row.fault ?? 'good')).toEqual([...Array<string>(20).fill('good'), 'extra-cell', 'good']);
    }
  });

  test('may be more than are remembered', async () => {
    const record = `{${Array.from({ length: 3_000 }, (_, i) => `"k${i}":${i}`).join(',')},"a":1}`;
    const reader = await openText(`${record}\n${record}`, {}, { columns: ['a'] });
    const batch = (await reader.next())!;
    expect([batch.rows, batch.bytes.toString('utf8', batch.starts[1], batch.ends[1])]).toEqual([2, '1']);
    await reader.next();
    expect(reader.layout.drift).toHaveLength(1_001);
    expect(reader.layout.drift.at(-1)?.message).toBe('more keys that are not in the contract: ignored');
  });
});

describe('without a contract', () => {
  test('each record is one column data jsonb', async () => {
    const reader = await openText('{"a":1}\n');
    expect(reader.layout).toMatchObject({
      fileColumns: [{ name: 'data', type: 'jsonb' }],
      cellOf: [0],
      unknown: [],
      missing: [],
    });
    expect(await texts('{"a":1}\n {"b":[ ]} \r\n')).toEqual(['{"a":1}', '{"b":[ ]}']);
  });
});

test('a column that stands in no record is told, and lacks nothing in the layout', async () => {
  const reader = await openText('{"a":1}', {}, { columns: ['a', 'b'] });
  expect(reader.layout.missing).toEqual([]);
  while ((await reader.next()) !== null);
  expect(reader.layout.drift).toEqual([{ kind: 'missing', column: 'b', message: 'in no record: NULL or its default' }]);
});
