import { describe, expect, test } from 'vitest';
import { feedYaml, fullFeed, parse, placesOf, problemsOf } from './support.js';

describe('every mistake is reported at once', () => {
  test('five mistakes of a broken YAML all come, each with line and column', () => {
    const text = [
      'version: 1',
      'database: { embedded: true }',
      'daemon:',
      '  concurency: 4',
      '  drain_timeout: 60',
      'feeds:',
      '  orders:',
      '    source: { type: local, dir: "${NOWHERE}" }',
      '    format: { type: cvs }',
      '    on_duplicate: skipp',
      '    on_duplicate: load',
      '    columns:',
      '      - { name: id, type: bigit }',
      'broken: [1, 2',
      '',
    ].join('\n');
    const places = placesOf(text);
    expect(places).toContain('4:3 UNKNOWN_KEY daemon.concurency');
    expect(places).toContain('5:18 WRONG_TYPE daemon.drain_timeout');
    expect(places).toContain('8:33 ENV_UNSET feeds.orders.source.dir');
    expect(places).toContain('9:21 UNKNOWN_NAME feeds.orders.format.type');
    expect(places).toContain('10:19 BAD_VALUE feeds.orders.on_duplicate');
    expect(places).toContain('11:5 DUPLICATE_KEY feeds.orders.on_duplicate');
    expect(places).toContain('13:27 UNKNOWN_NAME feeds.orders.columns[0].type');
    expect(places.some((place) => place.includes('YAML_SYNTAX'))).toBe(true);
  });

  test('a problem names file, line, column, key, code, message and hint', () => {
    expect(problemsOf(fullFeed('on_duplicte: skip'))).toEqual([
      {
        file: 'tallyman.yaml',
        line: 7,
        column: 5,
        key: 'feeds.orders.on_duplicte',
        code: 'UNKNOWN_KEY',
        message: 'is no key here.',
        hint: 'Did you mean on_duplicate?',
      },
    ]);
  });

  test('the error is CONFIG_INVALID, exit 78, and its message has every place', () => {
    expect(() => parse('database: { embedded: true }\nfeed: {}\n')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        exit: 78,
        message: 'tallyman.yaml:2:1 feed: is no key here. Did you mean feeds?',
      }),
    );
  });

  test('problems come in the order of the file', () => {
    const lines = problemsOf(`feeds: { a: 1 }\nnope: 1\ndaemon: 3\ndatabase: 4\n`).map((p) => p.line);
    expect(lines).toEqual([1, 2, 3, 4]);
  });

  test('after a syntax error nothing is called missing, for it may only have been lost', () => {
    const text = 'feeds:\n  orders:\n    source: { type: local\n';
    expect(problemsOf(text).map((p) => p.code)).toEqual(['YAML_SYNTAX']);
  });

  test('a text that is no mapping at all is one mistake', () => {
    expect(placesOf('just words')).toEqual(['1:1 WRONG_TYPE ']);
    expect(placesOf('')).toEqual(['1:1 MISSING_KEY ']);
    expect(placesOf('- a\n- b\n')).toEqual(['1:1 WRONG_TYPE ']);
  });

  test('JSON is YAML too', () => {
    expect(
      parse(
        '{"database": {"embedded": true}, "feeds": {"a": {"source": {"type": "local", "dir": "d"}, "format": {"type": "csv"}}}}',
      ).feeds.map((f) => f.name),
    ).toEqual(['a']);
  });

  test('aliases that multiply are refused instead of filling the memory', () => {
    const rows = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${Array.from({ length: 10 }, () => (i === 0 ? 'x' : `*a${i - 1}`)).join(', ')}]`,
    );
    expect(problemsOf(rows.join('\n')).map((p) => p.code)).toContain('YAML_SYNTAX');
  });

  test('an alias that holds itself is refused', () => {
    expect(problemsOf('feeds: &f\n  a: *f\n').map((p) => p.code)).toContain('YAML_SYNTAX');
  });

  test('a second document is refused', () => {
    expect(problemsOf('database: { embedded: true }\n---\nfeeds: {}\n').map((p) => `${p.line} ${p.code}`)).toEqual([
      '2 YAML_SYNTAX',
    ]);
  });

  test('a key __proto__ is no key', () => {
    expect(placesOf('database: { embedded: true }\n__proto__: { x: 1 }\n')).toEqual(['2:1 UNKNOWN_KEY __proto__']);
  });
});

describe('unknown keys', () => {
  test.each([
    [
      'source: { type: local, dir: d, pol: 5s }\nformat: { type: csv }',
      'feeds.orders.source.pol',
      'Did you mean poll?',
    ],
    [
      'source: { type: local, dir: d }\nformat: { type: csv, delimeter: ";" }',
      'feeds.orders.format.delimeter',
      'Did you mean delimiter?',
    ],
    [
      'source: { type: local, dir: d }\nformat: { type: csv }\nlimits: { badrows: 3 }',
      'feeds.orders.limits.badrows',
      'Did you mean bad_rows?',
    ],
    [
      'source: { type: local, dir: d }\nformat: { type: csv }\ncolumns: [{ name: a, type: text, requierd: true }]',
      'feeds.orders.columns[0].requierd',
      'Did you mean required?',
    ],
    [
      'source: { type: local, dir: d }\nformat: { type: csv }\nafter: { loaded: { mov: done } }',
      'feeds.orders.after.loaded.mov',
      'Did you mean move?',
    ],
  ])('%s is told with the nearest right name', (lines, key, hint) => {
    expect(problemsOf(feedYaml(lines))).toEqual([expect.objectContaining({ code: 'UNKNOWN_KEY', key, hint })]);
  });

  test('a key that is named in the specification and not built yet is told as that', () => {
    expect(problemsOf(fullFeed('expect: daily'))).toEqual([
      expect.objectContaining({ code: 'UNKNOWN_KEY', message: 'is reserved and not built yet.' }),
    ]);
  });

  test('a key with a dot in it is shown in quotes', () => {
    expect(problemsOf('database: { embedded: true }\n"a.b": 1\n').map((p) => p.key)).toEqual(['"a.b"']);
  });
});

describe('missing and wrong values', () => {
  test('source and format.type are required, and shown at the feed', () => {
    expect(placesOf(feedYaml('on_duplicate: skip'))).toEqual([
      '4:3 MISSING_KEY feeds.orders.source',
      '4:3 MISSING_KEY feeds.orders.format.type',
    ]);
  });

  test("a part's own required key is shown at the section", () => {
    expect(placesOf(feedYaml('source: { type: local }\nformat: { type: csv }'))).toEqual([
      '5:5 MISSING_KEY feeds.orders.source.dir',
    ]);
  });

  test('a number where a text belongs says to quote it', () => {
    expect(problemsOf(feedYaml('source: { type: local, dir: 2026 }\nformat: { type: csv }'))).toEqual([
      expect.objectContaining({
        code: 'WRONG_TYPE',
        message: 'must be text, not a number.',
        hint: 'Write it in quotes: "2026".',
      }),
    ]);
  });

  test('yes and no are texts in YAML 1.2, and the hint says so', () => {
    expect(problemsOf(feedYaml('source: { type: local, dir: d, recursive: yes }\nformat: { type: csv }'))).toEqual([
      expect.objectContaining({ code: 'WRONG_TYPE', hint: 'Write true.' }),
    ]);
  });

  test('a duration without unit is told with an example', () => {
    expect(problemsOf(feedYaml('source: { type: local, dir: d, poll: "30" }\nformat: { type: csv }'))[0]?.message).toBe(
      'is no duration: write 500ms, 30s, 5m, 2h or 7d.',
    );
  });

  test('an alternative that is neither word nor mapping lists the words', () => {
    expect(problemsOf(fullFeed('after: { loaded: archive }'))).toEqual([
      expect.objectContaining({
        code: 'BAD_VALUE',
        key: 'feeds.orders.after.loaded',
        message: 'archive is not one of leave, delete, nor a mapping.',
      }),
    ]);
  });

  test('two alternatives at once are told as that', () => {
    expect(problemsOf(fullFeed('after: { loaded: { move: a, tag: { b: c } } }'))).toEqual([
      expect.objectContaining({ key: 'feeds.orders.after.loaded', message: 'must hold exactly one of move, tag.' }),
    ]);
  });

  test.each([
    ['limits: { bad_rows: -1 }', 'feeds.orders.limits.bad_rows'],
    ['limits: { bad_ratio: 1.5 }', 'feeds.orders.limits.bad_ratio'],
    ['limits: { min_rows: 2.5 }', 'feeds.orders.limits.min_rows'],
    ['retry: { attempts: 0 }', 'feeds.orders.retry.attempts'],
    ['timezone: Europe/Pariss', 'feeds.orders.timezone'],
    ['control: { trailer: "(" }', 'feeds.orders.control.trailer'],
    ['target: { table: a.b.c }', 'feeds.orders.target.table'],
    [`target: { table: ${'x'.repeat(64)} }`, 'feeds.orders.target.table'],
    ['names: camel', 'feeds.orders.names'],
    ['compression: zip9', 'feeds.orders.compression'],
    ['formerly: orders', 'feeds.orders.formerly'],
  ])('%s cannot be used', (line, key) => {
    expect(problemsOf(fullFeed(line)).map((p) => p.key)).toEqual([key]);
  });

  test('a section with nothing behind it is as good as none', () => {
    expect(parse('database: { embedded: true }\nfeeds:\nconnections:\ndefaults:\ndaemon:\n').feeds).toEqual([]);
  });

  test('a feed cannot be called none', () => {
    expect(
      placesOf(
        'database: { embedded: true }\nfeeds:\n  none: { source: { type: local, dir: d }, format: { type: csv } }\n',
      ),
    ).toEqual(['3:3 BAD_VALUE feeds.none']);
  });

  test('a version other than 1 is refused', () => {
    expect(placesOf('version: 2\ndatabase: { embedded: true }\n')).toEqual(['1:10 BAD_VALUE version']);
  });
});
