import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MASK, Secret } from '../../src/core/secret.js';
import { interpolate } from '../../src/config/read/interpolate.js';
import { fullFeed, onlyFeed, parse, placesOf, problemsOf, WITH_REMOTE, withFolder } from './support.js';

const env = { NAME: 'value', EMPTY: '', PORT: '2222', YES: 'true', NULLED: 'null', NESTED: 'a${NAME}b', PW: 's3cret' };

describe('variables', () => {
  test.each([
    ['${NAME}', 'value'],
    ['a-${NAME}-b', 'a-value-b'],
    ['${NAME}${NAME}', 'valuevalue'],
    ['${GONE:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${GONE:-}', ''],
    ['${GONE:-a:-b}', 'a:-b'],
    ['${NAME:-other}', 'value'],
    ['${NAME:?say it}', 'value'],
    ['$${NAME}', '${NAME}'],
    ['$NAME $ $$', '$NAME $ $$'],
    ['${NESTED}', 'a${NAME}b'],
  ])('%s becomes %s', (text, filled) => {
    expect(interpolate(text, env)).toEqual(expect.objectContaining({ text: filled, problems: [] }));
  });

  test.each([
    ['${GONE}', 'ENV_UNSET', 'the variable GONE is unset or empty.'],
    ['${EMPTY}', 'ENV_UNSET', 'the variable EMPTY is unset or empty.'],
    ['${GONE:?ask the desk}', 'ENV_UNSET', 'the variable GONE is unset or empty: ask the desk'],
    ['${1x}', 'BAD_VALUE', '${1x} is no variable.'],
    ['${NAME-x}', 'BAD_VALUE', '${NAME-x} is no variable.'],
    ['${NAME', 'BAD_VALUE', '${NAME is no variable.'],
    ['${}', 'BAD_VALUE', '${} is no variable.'],
  ])('%s is a mistake', (text, code, message) => {
    expect(interpolate(text, env).problems).toEqual([expect.objectContaining({ code, message })]);
  });

  test('what is filled in cannot become structure', () => {
    const feed = onlyFeed(parse(fullFeed('target: { table: "${T}" }'), { env: { T: 'a, mode: replace_all' } }));
    expect([feed.target.table, feed.target.mode]).toEqual(['a, mode: replace_all', 'append']);
  });

  test('an unquoted variable is a number or boolean where one is asked for', () => {
    const config = parse('database:\n  embedded: ${YES}\ndaemon:\n  concurrency: ${PORT:-9}\nfeeds: {}\n', {
      env: { YES: 'true', PORT: '8' },
    });
    expect([config.database.embedded, config.daemon.concurrency]).toEqual([true, 8]);
  });

  test('a variable in quotes stays text', () => {
    expect(placesOf('database: { embedded: "${YES}" }\nfeeds: {}\n', { env })).toEqual([
      '1:23 WRONG_TYPE database.embedded',
    ]);
  });

  test('an unquoted variable is text where text is asked for, also when it looks like a number or null', () => {
    const config = parse(
      'data_dir: ${PORT}\ndatabase:\n  url: "postgresql://h/d"\n  password: ${NULLED}\nfeeds: {}\n',
      { env },
    );
    expect([config.dataDir, config.database.password?.reveal()]).toEqual(['/srv/in/2222', 'null']);
  });

  test('inside braces an unquoted variable is no YAML, and the hint says to quote it', () => {
    const problems = problemsOf('database: { embedded: true }\ndaemon: { concurrency: ${N} }\nfeeds: {}\n', {
      env: { N: '3' },
    });
    expect(problems.map((p) => `${p.line}:${p.column} ${p.code} ${p.hint}`)).toEqual([
      '2:25 YAML_SYNTAX Inside { } and [ ] a variable needs quotes: "${NAME}".',
    ]);
  });

  test('keys are not filled in', () => {
    expect(placesOf('database: { embedded: true }\n"${NAME}": 1\n', { env })).toEqual(['2:1 UNKNOWN_KEY ${NAME}']);
  });

  test('a value whose variable is unset is told once, not also as a bad value', () => {
    expect(placesOf(fullFeed('retry: { backoff: "${GONE}" }'))).toEqual(['7:23 ENV_UNSET feeds.orders.retry.backoff']);
  });
});

describe('secrets', () => {
  test('a Secret prints as a mask everywhere and gives its text only by reveal', () => {
    const secret = new Secret('s3cret');
    expect([
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect(secret, { showHidden: true, depth: 9 }),
      secret.reveal(),
    ]).toEqual([MASK, `{"secret":"${MASK}"}`, `{ secret: ${MASK} }`, MASK, 's3cret']);
  });

  test('a secret comes from a variable, by { env } or in place', () => {
    const config = parse(
      'database: { url: "postgresql://h/d", password: { env: PW } }\ndaemon: { http: { token: "${PW}" } }\nfeeds: {}\n',
      { env },
    );
    expect(config.database.password?.reveal()).toBe('s3cret');
    expect(config.daemon.http === false ? null : config.daemon.http.token?.reveal()).toBe('s3cret');
    expect(config.warnings.map((w) => w.code)).toEqual(['NO_EFFECT']);
  });

  test.each([
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    ['s3cret\n\n', 's3cret\n'],
    ['s3cret', 's3cret'],
  ])('a secret file %j gives %j: only the final newline is dropped', async (content, text) => {
    await withFolder({ pw: content }, (base) => {
      expect(
        parse('database: { url: "postgresql://h/d", password: { file: pw } }\nfeeds: {}\n', {
          base,
        }).database.password?.reveal(),
      ).toBe(text);
    });
  });

  test('an unset variable, a missing file, an empty file and a folder are told at their place', async () => {
    await withFolder({ empty: '\n' }, (base) => {
      const at = (secret: string): readonly string[] =>
        placesOf(`database:\n  url: "postgresql://h/d"\n  password: ${secret}\nfeeds: {}\n`, { base });
      expect(at('{ env: GONE }')).toEqual(['3:20 ENV_UNSET database.password.env']);
      expect(at('{ file: gone }')).toEqual(['3:21 SECRET_UNREADABLE database.password.file']);
      expect(at('{ file: empty }')).toEqual(['3:21 SECRET_UNREADABLE database.password.file']);
      expect(at('{ file: . }')).toEqual(['3:21 SECRET_UNREADABLE database.password.file']);
      expect(at('{ fle: x }')).toEqual(['3:15 UNKNOWN_KEY database.password.fle']);
    });
  });

  test('a secret that stands in the file as text works, with a warning', () => {
    const config = parse('database: { url: "postgresql://h/d", password: plain }\nfeeds: {}\n');
    expect(config.database.password?.reveal()).toBe('plain');
    expect(config.warnings.map((w) => `${w.line}:${w.column} ${w.code} ${w.key}`)).toEqual([
      '1:48 SECRET_IN_CONFIG database.password',
      '2:1 NO_EFFECT feeds',
    ]);
  });

  test('a password in the URL is among the secrets, decoded too, and is warned of', () => {
    const config = parse('database: { url: "postgresql://u:p%40ss@h/d" }\nfeeds: {}\n');
    expect(config.secrets.map((s) => s.reveal())).toEqual(['p%40ss', 'p@ss']);
    expect(config.warnings.map((w) => w.code)).toContain('SECRET_IN_CONFIG');
  });

  test("a connection's secrets reach its schema as Secret, its paths absolute", () => {
    const config = parse(
      'database: { embedded: true }\nconnections: { acme: { type: remote, host: h, password: { env: PW }, known_hosts: hosts } }\nfeeds: {}\n',
      { env, parts: WITH_REMOTE },
    );
    const acme = config.connections.get('acme');
    expect(acme).toEqual({
      type: 'remote',
      options: { host: 'h', port: 22, password: expect.any(Secret) as unknown, known_hosts: '/srv/in/hosts' },
    });
    expect(config.secrets.map((s) => s.reveal())).toEqual(['s3cret']);
  });

  test('no secret is in a problem', () => {
    const problems = problemsOf(
      'database: { url: "mysql://u:hunter2@h/d", password: { env: PW }, x: 1 }\ndaemon: { http: { listen: "0.0.0.0:99999", token: "${PW}" } }\n',
      { env },
    );
    expect(problems.length).toBeGreaterThan(1);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|s3cret/);
  });
});
