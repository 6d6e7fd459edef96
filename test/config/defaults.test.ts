import { describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import { indent, onlyFeed, parse, placesOf, WITH_REMOTE } from './support.js';

const yaml = (defaults: string, feed: string): string =>
  `database: { embedded: true }\nconnections: { acme: { type: remote, host: h } }\ndefaults:\n${indent(defaults, 2)}\nfeeds:\n  orders:\n${indent(feed, 4)}\n`;
const merged = (defaults: string, feed: string): FeedSpec =>
  onlyFeed(parse(yaml(defaults, feed), { parts: WITH_REMOTE }));
const BASE = 'source: { type: local, dir: d }\nformat: { type: csv }\n';

describe('defaults', () => {
  test('are taken where the feed says nothing', () => {
    expect(merged('on_duplicate: hold\nlimits: { bad_rows: 7 }', BASE)).toEqual(
      expect.objectContaining({
        onDuplicate: 'hold',
        limits: { badRows: 7, badRatio: 0.5, minRows: 0, databaseRows: 10_000, unterminated: 'warn' },
      }),
    );
  });

  test('mappings merge key by key', () => {
    const { source, limits } = merged(
      'source: { poll: 5s, settle: 1s }\nlimits: { bad_rows: 7, min_rows: 2 }',
      'source: { type: local, dir: d, settle: 3s }\nformat: { type: csv }\nlimits: { min_rows: 1 }',
    );
    expect([source.pollMs, source.settleMs, limits.badRows, limits.minRows]).toEqual([5_000, 3_000, 7, 1]);
  });

  test('lists and scalars of the feed replace', () => {
    const { source, onDuplicate } = merged(
      'source: { ignore: [a, b] }\non_duplicate: hold',
      'source: { type: local, dir: d, ignore: [c], ignore_defaults: false }\nformat: { type: csv }\non_duplicate: load',
    );
    expect([source.ignore, onDuplicate]).toEqual([['c'], 'load']);
  });

  test('type, dir and columns can stand there too', () => {
    const feed = merged(
      'source: { type: local, dir: drop }\nformat: { type: csv, delimiter: ";" }\ncolumns: [{ name: a, type: text }]',
      'on_duplicate: skip',
    );
    expect([feed.source.options, feed.format.options['delimiter'], feed.columns?.length]).toEqual([
      { dir: '/srv/in/drop' },
      ';',
      1,
    ]);
  });

  test('a choice written with another key replaces the one of the defaults', () => {
    const feed = merged(
      'source: { ready: { marker: "{name}.ok" } }\nafter: { loaded: { move: done } }',
      'source: { type: remote, connection: acme, dir: d, ready: { manifest: m } }\nformat: { type: csv }\nafter: { loaded: { tag: { a: b } } }',
    );
    expect([feed.source.ready, feed.after.loaded]).toEqual([
      { kind: 'manifest', template: 'm' },
      { kind: 'tag', tags: { a: 'b' } },
    ]);
  });

  test('a source of another type takes only the keys common to all', () => {
    const { source } = merged('source: { type: remote, connection: acme, dir: there, poll: 9s }', BASE);
    expect([source.type, source.options, source.pollMs]).toEqual(['local', { dir: '/srv/in/d' }, 9_000]);
  });

  test('a mistake there is told once, at its own place, however many feeds take it', () => {
    const text =
      'database: { embedded: true }\ndefaults:\n  on_duplicat: skip\n  limits: { bad_rows: x }\n  source: { poll: soon }\nfeeds:\n  a: { source: { type: local, dir: a }, format: { type: csv } }\n  b: { source: { type: local, dir: b }, format: { type: csv } }\n';
    expect(placesOf(text)).toEqual([
      '3:3 UNKNOWN_KEY defaults.on_duplicat',
      '4:23 WRONG_TYPE defaults.limits.bad_rows',
      '5:19 BAD_VALUE defaults.source.poll',
    ]);
  });

  test('a mistake there is told also when there is no feed', () => {
    expect(placesOf('database: { embedded: true }\ndefaults: { on_duplicate: no }\nfeeds: {}\n')).toEqual([
      '2:27 BAD_VALUE defaults.on_duplicate',
    ]);
  });
});
