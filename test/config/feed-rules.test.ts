import { describe, expect, test } from 'vitest';
import { feedYaml, fullFeed, onlyFeed, parse, placesOf, problemsOf, WITH_REMOTE } from './support.js';

const feed = (lines = '') => onlyFeed(parse(fullFeed(lines)));
const warnings = (lines: string): readonly string[] => parse(feedYaml(lines)).warnings.map((w) => `${w.code} ${w.key}`);

describe('what a feed comes to', () => {
  test('every default is the one of the specification', () => {
    expect(feed()).toEqual({
      name: 'orders',
      source: {
        type: 'local',
        options: { dir: '/srv/in/drop' },
        patterns: ['*'],
        ignoreCase: false,
        recursive: false,
        ignore: [],
        ignoreAnyCase: [
          '*.tmp',
          '*.part',
          '*.partial',
          '*.filepart',
          '*.writing',
          '*.inprogress',
          '*.crdownload',
          '*~',
          '~$*',
          '.*',
        ],
        pollMs: 60_000,
        settleMs: 5_000,
        ready: { kind: 'always' },
        exclude: [],
      },
      format: {
        type: 'csv',
        options: expect.objectContaining({ header: true, delimiter: ',', nulls: [''] }) as unknown,
      },
      compression: 'auto',
      maxExpansion: { ratio: 200, bytes: 100e9 },
      members: null,
      columns: null,
      unique: [],
      onUnknownColumn: 'add',
      onMissingColumn: 'fill_null',
      onDuplicate: 'skip',
      onChanged: 'load',
      control: null,
      limits: { badRows: null, badRatio: 0.5, minRows: 0, databaseRows: 10_000, unterminated: 'warn' },
      target: { schema: 'staging', table: 'orders', mode: 'append', create: true, loadIndex: 'none' },
      order: 'arrival',
      serial: false,
      after: { loaded: { kind: 'leave' }, rejected: { kind: 'leave' }, duplicate: { kind: 'leave' } },
      retry: { attempts: 5, backoffMs: 10_000, maxBackoffMs: 600_000 },
      names: 'snake',
      timezone: 'UTC',
      formerly: null,
    });
  });

  test('a snapshot feed takes its newest file first, one at a time', () => {
    const { order, serial } = feed('target: { mode: replace_all }');
    expect([order, serial]).toEqual(['newest', true]);
  });

  test('with columns, an unknown or missing column rejects', () => {
    const { onUnknownColumn, onMissingColumn } = feed('columns: [{ name: a, type: text }]');
    expect([onUnknownColumn, onMissingColumn]).toEqual(['reject', 'reject']);
  });

  test('a format may ignore unknown columns by default, as JSON does', () => {
    const parts = {
      ...WITH_REMOTE,
      formats: WITH_REMOTE.formats.map((f) => ({ ...f, unknownColumn: 'ignore' as const })),
    };
    expect(onlyFeed(parse(fullFeed('columns: [{ name: a, type: text }]'), { parts })).onUnknownColumn).toBe('ignore');
  });

  test('columns: text is the same as no columns', () => {
    expect([feed('columns: text').columns, feed('columns: text').onUnknownColumn]).toEqual([null, 'add']);
  });

  test('a snapshot feed wants at least one row unless it says otherwise', () => {
    expect([
      feed('target: { mode: replace_all }').limits.minRows,
      feed('target: { mode: replace_all }\nlimits: { min_rows: 0 }').limits.minRows,
    ]).toEqual([1, 0]);
  });

  test('limits can be taken away with null', () => {
    expect(feed('limits: { bad_ratio: null }').limits).toEqual({
      badRows: null,
      badRatio: null,
      minRows: 0,
      databaseRows: 10_000,
      unterminated: 'warn',
    });
  });

  test('target.table may name a schema', () => {
    const { schema, table } = feed('target: { table: raw.orders_in }').target;
    expect([schema, table]).toEqual(['raw', 'orders_in']);
  });

  test('patterns have their date letters replaced', () => {
    expect(
      onlyFeed(
        parse(
          feedYaml(
            'source: { type: local, dir: d, pattern: ["a_%d.csv", "b*"], ignore: "x_%m*" }\nformat: { type: csv }',
          ),
        ),
      ).source,
    ).toEqual(
      expect.objectContaining({
        patterns: ['a_[0-9][0-9].csv', 'b*'],
        ignore: ['x_[0-9][0-9]*'],
      }),
    );
  });

  test('patterns with date letters are kept beside their globs', () => {
    const { source } = onlyFeed(
      parse(feedYaml('source: { type: local, dir: d, pattern: ["a_%d.csv", "b*"] }\nformat: { type: csv }')),
    );
    expect(source.named).toEqual([{ glob: 'a_[0-9][0-9].csv', captures: 'a_%d.csv' }]);
  });

  test('ignore_defaults: false drops the built-in ignores', () => {
    expect(
      onlyFeed(parse(feedYaml('source: { type: local, dir: d, ignore_defaults: false }\nformat: { type: csv }'))).source
        .ignore,
    ).toEqual([]);
  });

  test.each([
    ['always', { kind: 'always' }],
    ['{ marker: "{name}.done" }', { kind: 'marker', template: '{name}.done' }],
    ['{ manifest: "{stem}.manifest.json" }', { kind: 'manifest', template: '{stem}.manifest.json' }],
    ['_SUCCESS', { kind: 'marker', template: '_SUCCESS' }],
  ])('ready: %s', (ready, spec) => {
    expect(
      onlyFeed(parse(feedYaml(`source: { type: local, dir: d, ready: ${ready} }\nformat: { type: csv }`))).source.ready,
    ).toEqual(spec);
  });

  test('after actions, and the folders they fill are never scanned', () => {
    const { after, source } = feed(
      'after: { loaded: { move: "done/%Y/%m/" }, rejected: { move: bad }, duplicate: delete }',
    );
    expect(after).toEqual({
      loaded: { kind: 'move', to: 'done/%Y/%m' },
      rejected: { kind: 'move', to: 'bad' },
      duplicate: { kind: 'delete' },
    });
    expect(source.exclude).toEqual(['done/%Y/%m', 'bad']);
  });

  test('a move target is not scanned by another feed over the folder above it either', () => {
    const config = parse(
      'database: { embedded: true }\nfeeds:\n' +
        '  a: { source: { type: local, dir: /d/in, pattern: "a*" }, format: { type: csv }, after: { loaded: { move: done } } }\n' +
        '  b: { source: { type: local, dir: /d, pattern: "b*", recursive: true }, format: { type: csv } }\n' +
        '  c: { source: { type: local, dir: /d/in/done, pattern: "*" }, format: { type: csv } }\n',
    );
    expect(config.feeds.map((f) => f.source.exclude)).toEqual([['done'], ['in/done'], []]);
  });
});

describe('contradictions in a feed', () => {
  test.each([
    [
      'unique: [[a, c]]\ncolumns: [{ name: a, type: text }, { name: b, type: text }]',
      '7:18 UNKNOWN_NAME feeds.orders.unique[0][1]',
    ],
    ['unique: [[a, a]]\ncolumns: [{ name: a, type: text }]', '7:18 CONFLICT feeds.orders.unique[0][1]'],
    ['unique: [[a]]', '7:13 CONFLICT feeds.orders.unique'],
    ['after: { loaded: { tag: { state: loaded } } }', '7:24 CONFLICT feeds.orders.after.loaded.tag'],
    ['after: { loaded: { move: /done } }', '7:30 BAD_VALUE feeds.orders.after.loaded.move'],
    ['after: { loaded: { move: ../done } }', '7:30 BAD_VALUE feeds.orders.after.loaded.move'],
    ['after: { loaded: { move: "." } }', '7:30 BAD_VALUE feeds.orders.after.loaded.move'],
    ['after: { loaded: { move: "done/%Q" } }', '7:30 BAD_VALUE feeds.orders.after.loaded.move'],
    ['retry: { backoff: 1h, max_backoff: 1m }', '7:23 CONFLICT feeds.orders.retry.backoff'],
    ['control: { manifest: { rows: n } }', '7:16 CONFLICT feeds.orders.control.manifest'],
    ['control: { totals: { amount: total } }', '7:34 CONFLICT feeds.orders.control.totals.amount'],
    [
      'control: { trailer: "^T(?<total>\\\\d+)", totals: { amount: total } }\ncolumns: [{ name: amont, type: numeric }]',
      '7:63 UNKNOWN_NAME feeds.orders.control.totals.amount',
    ],
    [
      'control: { trailer: "^T(?<total>\\\\d+)", totals: { d: total } }\ncolumns: [{ name: d, type: date }]',
      '7:58 CONFLICT feeds.orders.control.totals.d',
    ],
    ['control: { metadata: { rows: n } }', '7:16 CONFLICT feeds.orders.control.metadata'],
    ['control: { checksum: "{name}" }', '7:26 BAD_VALUE feeds.orders.control.checksum'],
    ['control: { checksum: "{base}.md5" }', '7:26 BAD_VALUE feeds.orders.control.checksum'],
    [
      'on_unknown_column: rescue\ncolumns: [{ name: _rescued, type: jsonb }]',
      '7:24 RESERVED_COLUMN feeds.orders.on_unknown_column',
    ],
    ['formerly: orders', '7:15 CONFLICT feeds.orders.formerly'],
  ])('%s', (lines, place) => {
    expect(placesOf(fullFeed(lines))).toEqual([place]);
  });

  test('a backoff beyond the max_backoff that nobody wrote is no contradiction: max_backoff gives way', () => {
    const [feed] = parse(
      'database: { embedded: true }\nfeeds: { a: { source: { type: local, dir: /d, pattern: "*" }, format: { type: csv }, retry: { backoff: 1h } } }\n',
    ).feeds;
    expect(feed?.retry).toEqual({ attempts: 5, backoffMs: 3_600_000, maxBackoffMs: 3_600_000 });
  });

  test('formerly names a feed that has gone, not one that is still there', () => {
    const two = (formerly: string) =>
      `database: { embedded: true }\nfeeds:\n  a: { source: { type: local, dir: d }, format: { type: csv } }\n  b: { source: { type: local, dir: e }, format: { type: csv }, formerly: ${formerly} }\n`;
    expect(placesOf(two('a'))).toEqual(['4:74 CONFLICT feeds.b.formerly']);
    expect([placesOf(two('gone')), placesOf(two('none'))]).toEqual([[], []]);
  });

  test('tags are fine where the source has them', () => {
    const yaml =
      'database: { embedded: true }\nconnections: { acme: { type: remote, host: h } }\nfeeds:\n  a: { source: { type: remote, connection: acme, dir: d }, format: { type: csv }, after: { loaded: { tag: { a: b } } } }\n';
    expect(placesOf(yaml, { parts: WITH_REMOTE })).toEqual([]);
  });

  test('a feed whose name is too long for a table must name one', () => {
    const name = 'n'.repeat(64);
    expect(
      problemsOf(
        `database: { embedded: true }\nfeeds:\n  ${name}: { source: { type: local, dir: d }, format: { type: csv } }\n`,
      )[0]?.hint,
    ).toBe('Set target.table.');
  });

  test.each([
    ['alwys', 'feeds.orders.source.ready'],
    ['{ marker: "{nam}.done" }', 'feeds.orders.source.ready.marker'],
    ['{ marker: "{name}" }', 'feeds.orders.source.ready.marker'],
    ['{ marker: "../x" }', 'feeds.orders.source.ready.marker'],
    ['{ marker: a, manifest: b }', 'feeds.orders.source.ready'],
  ])('ready: %s cannot be used', (ready, key) => {
    expect(
      problemsOf(feedYaml(`source: { type: local, dir: d, ready: ${ready} }\nformat: { type: csv }`)).map((p) => p.key),
    ).toEqual([key]);
  });

  test.each(['"%Q"', '"a%"', '/abs/*.csv', '../*.csv', '"[%Y]"', '[]', '""'])(
    'pattern: %s cannot be used',
    (pattern) => {
      expect(
        problemsOf(feedYaml(`source: { type: local, dir: d, pattern: ${pattern} }\nformat: { type: csv }`)).map(
          (p) => p.key,
        ),
      ).toEqual(['feeds.orders.source.pattern']);
    },
  );
});

describe('connections', () => {
  const yaml = (source: string, connections = 'acme: { type: remote, host: h }') =>
    `database: { embedded: true }\nconnections: { ${connections} }\nfeeds:\n  a: { source: { ${source} }, format: { type: csv } }\n`;

  test('an unknown connection is told with those there are', () => {
    const [problem] = problemsOf(yaml('type: remote, connection: acne, dir: d'), { parts: WITH_REMOTE });
    expect([problem?.code, problem?.key, problem?.hint]).toEqual([
      'UNKNOWN_NAME',
      'feeds.a.source.connection',
      'There are acme.',
    ]);
  });

  test('a connection with a mistake is not told a second time at the feed', () => {
    expect(
      placesOf(yaml('type: remote, connection: acme, dir: d', 'acme: { type: remote }'), { parts: WITH_REMOTE }),
    ).toEqual(['2:16 MISSING_KEY connections.acme.host']);
  });

  test('a type that has no connections is told', () => {
    expect(placesOf(yaml('type: local, dir: d', 'acme: { type: local, host: h }'), { parts: WITH_REMOTE })).toEqual([
      '2:30 UNKNOWN_NAME connections.acme.type',
    ]);
  });

  test('an unknown source type is told with those there are, and its keys are left alone', () => {
    const problems = problemsOf(yaml('type: ftp, host: x'), { parts: WITH_REMOTE });
    expect(problems.map((p) => [p.key, p.message, p.hint])).toEqual([
      ['feeds.a.source.type', 'there is no source of type ftp.', 'There are: local, remote.'],
    ]);
  });
});

describe('warnings stop nothing', () => {
  test('a pattern without wildcard or date letter whose on_changed is unset', () => {
    expect(warnings('source: { type: local, dir: d, pattern: daily.csv }\nformat: { type: csv }')).toEqual([
      'FIXED_NAME feeds.orders.source.pattern',
    ]);
    expect(
      warnings('source: { type: local, dir: d, pattern: daily.csv }\nformat: { type: csv }\non_changed: load'),
    ).toEqual([]);
    expect(warnings('source: { type: local, dir: d, pattern: "daily_%d.csv" }\nformat: { type: csv }')).toEqual([]);
    expect(warnings('source: { type: local, dir: d, pattern: "daily?.csv" }\nformat: { type: csv }')).toEqual([]);
  });

  test('a pattern that can meet no file', () => {
    expect(warnings('source: { type: local, dir: d, pattern: "*.tmp" }\nformat: { type: csv }')).toEqual([
      'NEVER_MATCHES feeds.orders.source.pattern',
    ]);
    expect(warnings('source: { type: local, dir: d, pattern: ["*.csv", "in/*.csv"] }\nformat: { type: csv }')).toEqual([
      'NEVER_MATCHES feeds.orders.source.pattern[1]',
    ]);
    expect(
      warnings('source: { type: local, dir: d, pattern: "in/*.csv", recursive: true }\nformat: { type: csv }'),
    ).toEqual([]);
  });

  test('escape and nulls_quoted where there is no quote', () => {
    const csv = (keys: string): readonly string[] =>
      warnings(`source: { type: local, dir: d }\nformat: { type: csv, ${keys} }`);
    expect(csv('quote: null, escape: "\\\\", nulls_quoted: true')).toEqual([
      'NO_EFFECT feeds.orders.format.escape',
      'NO_EFFECT feeds.orders.format.nulls_quoted',
    ]);
    expect(csv('quote: null, escape: null')).toEqual([]);
    expect(csv('escape: "\\\\", nulls_quoted: true')).toEqual([]);
  });

  test('fill_null where every column is required', () => {
    expect(
      warnings(
        'source: { type: local, dir: d }\nformat: { type: csv }\non_missing_column: fill_null\ncolumns: [{ name: a, type: text, required: true }]',
      ),
    ).toEqual(['NO_EFFECT feeds.orders.on_missing_column']);
    expect(
      warnings(
        'source: { type: local, dir: d }\nformat: { type: csv }\non_missing_column: fill_null\ncolumns: [{ name: a, type: text, required: true }, { name: b, type: text }]',
      ),
    ).toEqual([]);
  });
});

test('a list that begins with ! takes away from nothing: a mistake that says what to write', () => {
  const wrong = (source: string): string[] =>
    problemsOf(feedYaml(`source: { type: local, dir: d, ${source} }\nformat: { type: csv }`)).map(
      ({ code, key }) => `${code} ${key.replace(/^feeds\.\w+\./, '')}`,
    );
  expect(wrong('pattern: "!test_*"')).toEqual(['BAD_VALUE source.pattern']);
  expect(wrong('pattern: ["*", "!!x"]')).toEqual(['BAD_VALUE source.pattern[1]']);
  expect(wrong('ignore: "!keep.tmp", ignore_defaults: false')).toEqual(['BAD_VALUE source.ignore']);
  expect(wrong('pattern: ["*.csv", "!test_*"], ignore: "!keep.tmp"')).toEqual([]);
  expect(wrong('pattern: "!(a|b).csv"')).toEqual([]);
});

test('names that differ by case only are a warning: feeds, columns, patterns', () => {
  const one = (name: string): string =>
    `  ${name}: { source: { type: local, dir: ${name}, pattern: ["*.csv", "*.CSV"] }, format: { type: csv }, columns: [{ name: id, type: text }, { name: ID, type: text }] }\n`;
  const { warnings: told } = parse(`database: { embedded: true }\nfeeds:\n${one('orders')}${one('Orders')}`);
  expect(told.map(({ code, key }) => `${code} ${key}`)).toEqual([
    'CASE_ONLY feeds.orders.source.pattern[1]',
    'CASE_ONLY feeds.orders.columns[1].name',
    'CASE_ONLY feeds.Orders',
    'CASE_ONLY feeds.Orders.source.pattern[1]',
    'CASE_ONLY feeds.Orders.columns[1].name',
  ]);
  expect(
    warnings('source: { type: local, dir: d, pattern: ["*.csv", "*.CSV"], ignore_case: true }\nformat: { type: csv }'),
  ).toEqual([]);
});
