import { describe, expect, test } from 'vitest';
import { findChecksum } from '../../src/intake/checksum-text.js';
import { parseManifest } from '../../src/intake/manifest-text.js';

const SHA = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const MD5 = 'c'.repeat(32);

function value(text: string, key: string): string | undefined {
  const manifest = parseManifest(text);
  if ('problem' in manifest) throw new Error(manifest.problem);
  return manifest.values(key);
}

describe('a manifest', () => {
  test.each([
    [
      'JSON',
      '{"rowCount": 10, "sum": {"sha256": "x"}}',
      { rowCount: '10', 'sum.sha256': 'x', ROWCOUNT: '10', other: undefined },
    ],
    [
      'JSON with long numbers',
      '{"total": 123456789012345678901.50, "s": "1\\"2", "e": -1.5E+3}',
      { total: '123456789012345678901.50', s: '1"2', e: '-1.5E+3' },
    ],
    ['JSON with lists', '{"files": [{"rows": 3}]}', { 'files[0].rows': '3', 'files.0.rows': '3' }],
    ['JSON with a dotted key', '{"a.b": 1, "a": {"b": 2}}', { 'a.b': '1' }],
    ['JSON in two cases', '{"Rows": 1, "ROWS": 2}', { Rows: '1', rows: undefined }],
    ['a byte order mark', '\uFEFF{"rows":1}', { rows: '1' }],
    ['key=value', '# made by x\nRECORDS = 10\r\nsha256="abc"\n\n', { RECORDS: '10', records: '10', sha256: 'abc' }],
    ['key: value', 'rows: 10\nfile: a.csv\n', { rows: '10', file: 'a.csv' }],
    ['a header and a row', 'file,rows,total\na.csv,10,"1,5"\n', { rows: '10', total: '1,5' }],
    ['a header and a row of two columns', 'rows;total\n10;1,5\n', { rows: '10', total: '1,5' }],
    ['rows of name and value', `rows,10\nsha256,${SHA}\n`, { rows: '10', sha256: SHA }],
    ['rows of name and value with a header', 'name|value\nrows|10\ntotal|5\n', { rows: '10', total: '5' }],
    ['one row of name and value', 'rows\t10', { rows: '10' }],
    ['a name twice', 'rows=1\nrows=2', { rows: undefined }],
  ])('%s', (_, text, values) => {
    for (const [key, expected] of Object.entries(values)) expect([key, value(text, key)]).toEqual([key, expected]);
  });

  test.each(['', '  \n', '{"rows": 1', '[1,', 'something', 'a,b,c\n1,2\n', 'a,b,c\n1,2,3\n4,5,6\n'])(
    '%j is none (yet)',
    (text) => {
      expect(parseManifest(text)).toMatchObject({ problem: expect.any(String) as string });
    },
  );
});

describe('a checksum file', () => {
  test.each([
    ['GNU', `${SHA}  a.csv\n`],
    ['GNU, binary', `${SHA} *a.csv\r\n`],
    ['with a folder', `${SHA}  ./out/a.csv\n`],
    ['upper case', `${SHA.toUpperCase()}  a.csv\n`],
    ['BSD', `SHA256 (a.csv) = ${SHA}\n`],
    ['openssl', `SHA2-256(a.csv)= ${SHA}\n`],
    ['bare', `${SHA}\n`],
    ['another name, since renamed', `${SHA}  export.tmp\n`],
    ['a comment', `# by x\n${SHA}  a.csv\n`],
  ])('%s', (_, text) => {
    expect(findChecksum(text, 'a.csv.sha256', 'in/a.csv', false)).toEqual({ algorithm: 'sha256', digest: SHA });
  });

  test('of many files has the line of ours', () => {
    const text = `${OTHER}  b.csv\n${SHA}  a.csv\n`;
    expect(findChecksum(text, 'SHA256SUMS', 'in/a.csv', true)).toEqual({ algorithm: 'sha256', digest: SHA });
    expect(findChecksum(text, 'SHA256SUMS', 'in/c.csv', true)).toEqual({ problem: 'it has no line for c.csv' });
    expect(findChecksum(`${SHA}\n`, 'SHA256SUMS', 'c.csv', true)).toEqual({ problem: 'it has no line for c.csv' });
    expect(findChecksum(`${SHA}  a.csv\n${OTHER}  a.csv\n`, 'SHA256SUMS', 'a.csv', true)).toEqual({
      problem: 'it has several checksums for a.csv',
    });
  });

  test('is of the kind that its name tells, else of the kind of its length', () => {
    expect(findChecksum(`${MD5}  a.csv`, 'a.csv.md5', 'a.csv', false)).toEqual({ algorithm: 'md5', digest: MD5 });
    expect(findChecksum(`${MD5}  a.csv`, 'a.csv.chk', 'a.csv', false)).toEqual({ algorithm: 'md5', digest: MD5 });
    expect(findChecksum(`${MD5}  a.csv`, 'a.csv.sha256', 'a.csv', false)).toEqual({
      problem: 'it holds no sha256 checksum',
    });
    expect(findChecksum(SHA.slice(0, 40), 'a.csv.sha256', 'a.csv', false)).toEqual({
      problem: 'it holds no sha256 checksum',
    });
    expect(findChecksum('', 'checksums', 'a.csv', false)).toEqual({ problem: 'it holds no known checksum' });
  });

  test('writes line feeds and backslashes in names as it may', () => {
    expect(findChecksum(`\\${SHA}  a\\nb.csv\n${OTHER}  c`, 'SUMS', 'a\nb.csv', true)).toEqual({
      algorithm: 'sha256',
      digest: SHA,
    });
  });
});
