import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decode, open, problem, zipOf } from './support.js';

const A = 'id,v\n1,a\n';
const B = 'id,v\n2,b\n';

async function names(bytes: Buffer, members: readonly string[] | null = null): Promise<readonly string[]> {
  const decoded = await open(bytes, { members });
  return decoded.kind === 'archive' ? decoded.members.map((member) => member.name) : [];
}

describe('zip', () => {
  test.each([true, false])('gives the members in the order of the archive (stored: %s)', async (stored) => {
    const noise = randomBytes(600_000).toString('base64');
    const archive = zipOf([
      { name: 'b.csv', content: B, stored },
      { name: 'big.csv', content: noise, stored },
      { name: 'a.csv', content: A, stored },
    ]);
    expect((await decode(archive, { name: 'x.zip' })).toString()).toBe(B + noise + A);
  });

  test('other bytes behind its end are told as such', async () => {
    const archive = zipOf([{ name: 'a.csv', content: A }]);
    for (const more of ['\n', '\0'.repeat(512)])
      expect(await problem(() => open(Buffer.concat([archive, Buffer.from(more)])))).toBe(
        `FILE_CORRUPT: The zip archive holds other bytes behind its end at byte ${archive.length}.`,
      );
  });

  test('a member may be read again', async () => {
    const decoded = await open(zipOf([{ name: 'a.csv', content: A }]));
    if (decoded.kind !== 'archive') throw new Error('no archive');
    for (let i = 0; i < 2; i++) {
      let text = '';
      for await (const chunk of (await decoded.open(decoded.members[0]!)).bytes) text += chunk.toString();
      expect(text).toBe(A);
    }
  });

  const mixed = zipOf([
    { name: 'in/', content: '', stored: true, mode: 0o040755 },
    { name: 'in/a.csv', content: A },
    { name: 'in/readme.txt', content: 'hello' },
    { name: '__MACOSX/in/._a.csv', content: 'x' },
    { name: '.DS_Store', content: 'x' },
    { name: 'b.csv', content: B },
  ]);

  test.each([
    [null, ['in/a.csv', 'in/readme.txt', 'b.csv']],
    [['*.csv'], ['in/a.csv', 'b.csv']],
    [['in/*.csv'], ['in/a.csv']],
    [
      ['b.*', '*.txt'],
      ['in/readme.txt', 'b.csv'],
    ],
  ])('members: %j', async (members, expected) => {
    expect(await names(mixed, members)).toEqual(expected);
  });

  test('no wanted member: FORMAT_MISMATCH', async () => {
    expect(await problem(() => open(mixed, { members: ['*.json'] }))).toBe(
      'FORMAT_MISMATCH: The zip archive holds no file that is wanted.',
    );
    expect(await problem(() => open(zipOf([])))).toBe('FORMAT_MISMATCH: The zip archive holds no file that is wanted.');
  });

  test.each([
    ['encrypted', { flags: 0x801 }, 'FORMAT_MISMATCH: The member a.csv of the zip archive is encrypted.'],
    [
      'another method',
      { method: 9 },
      'FORMAT_MISMATCH: The member a.csv of the zip archive is compressed by method 9, which is not read.',
    ],
    ['a symbolic link', { mode: 0o120777 }, 'FORMAT_MISMATCH: The member a.csv of the zip archive is no regular file.'],
    [
      '../',
      { name: '../a.csv' },
      'FORMAT_MISMATCH: The zip archive names a member that would lead outside of it: invalid relative path: ../a.csv.',
    ],
    [
      'an absolute name',
      { name: '/etc/a.csv' },
      'FORMAT_MISMATCH: The zip archive names a member that would lead outside of it: absolute path: /etc/a.csv.',
    ],
    [
      'a drive',
      { name: 'C:/a.csv' },
      'FORMAT_MISMATCH: The zip archive names a member that would lead outside of it: absolute path: C:/a.csv.',
    ],
  ])('%s is refused', async (_name, change, message) => {
    expect(await problem(() => open(zipOf([{ name: 'a.csv', content: A, ...change }])))).toBe(message);
  });

  test('an unwanted name that leads outside is refused too', async () => {
    expect(
      await problem(() =>
        open(
          zipOf([
            { name: 'a.csv', content: A },
            { name: 'x/../../b', content: 'x' },
          ]),
          { members: ['*.csv'] },
        ),
      ),
    ).toContain('FORMAT_MISMATCH: The zip archive names a member that would lead outside of it');
  });

  test('an archive in an archive is refused', async () => {
    const inner = zipOf([{ name: 'a.csv', content: A }]);
    expect(await problem(() => decode(zipOf([{ name: 'inner.zip', content: inner }])))).toBe(
      'FORMAT_MISMATCH: Inside the zip stands zip, and the feed says csv.',
    );
  });

  test.each([
    ['a wrong checksum', { crc: 7 }, 'is damaged (wrong checksum)'],
    ['a declared size too small', { size: 3 }, 'is damaged (3 bytes are declared, there are more)'],
    ['a declared size too large', { size: 99 }, 'is damaged (99 bytes are declared, there are 9)'],
  ])('%s: FILE_CORRUPT', async (_name, change, message) => {
    expect(await problem(() => decode(zipOf([{ name: 'a.csv', content: A, ...change }])))).toContain(
      `FILE_CORRUPT: The member a.csv of the zip archive ${message}`,
    );
  });

  test('cut off anywhere: FILE_CORRUPT', async () => {
    const whole = zipOf([
      { name: 'a.csv', content: A },
      { name: 'b.csv', content: B },
    ]);
    for (let length = 4; length < whole.length; length++)
      expect(await problem(() => decode(whole.subarray(0, length), { name: 'a.zip' }))).toContain('FILE_CORRUPT');
  });

  test('any bit turned in the deflated data is told', async () => {
    const whole = zipOf([{ name: 'a.csv', content: randomBytes(3_000).toString('hex') }]);
    for (let at = 40; at < 2_900; at += 97) {
      const wrong = Buffer.from(whole);
      wrong[at]! ^= 2;
      expect(await problem(() => decode(wrong))).toContain('FILE_CORRUPT');
    }
  });

  test('members together may not expand past the limit: EXPANSION_LIMIT', async () => {
    const zeros = Buffer.alloc(9_000_000);
    expect(
      await problem(() =>
        decode(
          zipOf([
            { name: 'a.csv', content: zeros },
            { name: 'b.csv', content: zeros },
          ]),
        ),
      ),
    ).toContain('EXPANSION_LIMIT');
  });

  test('an Excel workbook is told, not unpacked', async () => {
    const workbook = zipOf([
      { name: '[Content_Types].xml', content: '<x/>' },
      { name: 'xl/workbook.xml', content: '<x/>' },
    ]);
    expect(await problem(() => open(workbook))).toBe(
      'FORMAT_MISMATCH: The file is Excel or another Office document (xlsx), and the feed says csv.',
    );
  });
});
