import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ContentDigest } from '../../src/decode/content-digest.js';
import { collect, open, zipOf } from './support.js';

const sha = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const TEXT = 'id,v\n1,\xe4\n';
const BYTES = Buffer.from(TEXT, 'latin1');

/** What is told of a file that was read to its end. */
async function contentOf(bytes: Buffer): Promise<string | null> {
  const content = new ContentDigest();
  const decoded = await open(bytes, { content, encoding: 'latin1', chunk: 7 });
  if (decoded.kind === 'stream') await collect(decoded.bytes);
  else for (const member of decoded.members) await collect((await decoded.open(member)).bytes);
  return content.told(sha(bytes));
}

const member = (name: string, content: string): { name: string; content: string } => ({ name, content });

test('a plain file is its own content, and what is packed is hashed before its charset is changed', async () => {
  for (const bytes of [BYTES, gzipSync(BYTES), gzipSync(BYTES, { level: 1 })])
    expect(await contentOf(bytes)).toBe(sha(BYTES));
});

test('an archive of one wanted member is that member', async () => {
  expect(await contentOf(zipOf([member('a.csv', 'id\n1\n')]))).toBe(sha('id\n1\n'));
});

test('of several members it is that of the sorted lines of `sha256sum`: their order does not matter', async () => {
  const [a, b] = [member('a.csv', 'id\n1\n'), member('b.csv', 'id\n2\n')];
  const lines = [`${sha(a.content)}  a.csv\n`, `${sha(b.content)}  b.csv\n`].sort();
  expect(await contentOf(zipOf([a, b]))).toBe(sha(lines.join('')));
  expect(await contentOf(zipOf([b, a]))).toBe(sha(lines.join('')));
  expect(await contentOf(zipOf([member('c.csv', a.content), b]))).not.toBe(sha(lines.join('')));
});

test('nothing is told of a file that was not read to its end', async () => {
  const content = new ContentDigest();
  expect(content.told(sha('x'))).toBeNull();
  await open(gzipSync('x'.repeat(1e6)), { content });
  expect(content.told(sha('x'))).toBeNull();
});
