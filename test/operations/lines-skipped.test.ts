import { expect, test } from 'vitest';
import { onlyFeed, parse, REGISTERED } from '../config/support.js';
import { zipOf } from '../decode/support.js';
import { put, readBackAs } from '../infer/support.js';

/** What `load --dry-run` reports of the file under this `format:`. */
async function report(format: string, name: string, content: string | Buffer): Promise<unknown> {
  const feed = onlyFeed(
    parse(
      `version: 1\ndatabase: { embedded: true }\nfeeds:\n  f:\n    source: { type: local, dir: d }\n    format: ${format}\n    columns: [{ name: id, type: text, start: 1, width: 2 }]\n`.replace(
        format.includes('fixed') ? '' : ', start: 1, width: 2',
        '',
      ),
      { parts: REGISTERED, base: '/' },
    ),
  );
  const { rows, lines_skipped, drift, error } = await readBackAs(feed, put(name, content));
  return { read: rows.read, lines_skipped, drift, error };
}

const told = (read: number, lines: number): unknown => ({ read, lines_skipped: lines, drift: [], error: null });

test('comments and the lines of skip_lines are counted; blank lines, and # within quotes, are none of them', async () => {
  const csv = '{ type: csv, comment: "#", skip_lines: 1 }';
  expect(await report(csv, 'a.csv', 'title\n# a\nid\n1\n\n# b\n"2\n# c"\n#')).toEqual(told(2, 4));
  expect(await report('{ type: csv }', 'b.csv', 'id\n#1\n')).toEqual(told(1, 0));
  expect(await report('{ type: csv, comment: "#", header: false }', 'c.csv', '# a\n1\n# b\n2\n')).toEqual(told(2, 2));
  const long = Array.from({ length: 60_000 }, (_, index) => `${index}\n# ${'x'.repeat(20)}\n`).join('');
  expect(await report('{ type: csv, comment: "#" }', 'd.csv', `id\n${long}`)).toEqual(told(60_000, 60_000));
});

test('of fixed width too, and of all members of an archive together', async () => {
  const fixed = '{ type: fixed, comment: "#", skip_lines: 1 }';
  expect(await report(fixed, 'a.txt', 'title\n# a\n01\n02\n# b\n')).toEqual(told(2, 3));
  const members = ['# a\nid\n1\n', 'id\n2\n# b\n# c\n'].map((text, at) => ({
    name: `${at}.csv`,
    content: Buffer.from(text),
  }));
  expect(await report('{ type: csv, comment: "#" }', 'a.zip', zipOf(members))).toEqual(told(2, 3));
});
