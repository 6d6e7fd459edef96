import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { charsetOf } from '../../src/decode/charset/charset-names.js';
import { toUtf8 } from '../../src/decode/charset/charset.js';
import { chunks, collect, problem } from './support.js';

async function utf8(bytes: Buffer, label: string, chunk?: number): Promise<Buffer> {
  return await collect((await toUtf8(chunks(bytes, chunk), label)).bytes);
}

const used = async (bytes: Buffer, label: string): Promise<string> => (await toUtf8(chunks(bytes), label)).encoding;

const LABELS = [
  ['windows-1250', 'Příliš žluťoučký kůň'],
  ['windows-1251', 'Съешь же ещё этих мягких'],
  ['windows-1252', 'Äpfel für 5 € – “gut”'],
  ['windows-1253', 'Ξεσκεπάζω'],
  ['iso-8859-2', 'Zażółć gęślą jaźń'],
  ['iso-8859-15', 'prix : 5 €, œuvre'],
  ['koi8-r', 'привет'],
  ['macintosh', 'café ∞'],
  ['ibm866', 'привет'],
  ['cp437', 'naïve ½'],
  ['shift_jis', '表計算ソフト,ｶﾀｶﾅ,～'],
  ['euc-jp', '日本語,ｶﾅ'],
  ['gbk', '汉字,數據'],
  ['gb18030', '汉字,😀,\u{2070E},€,\uFFFD'],
  ['big5', '繁體中文,許功蓋'],
  ['euc-kr', '한국어 똠방각하'],
] as const;

describe.each(LABELS)('%s', (label, sample) => {
  test('comes out as UTF-8, one byte at a time too', async () => {
    const bytes = iconv.encode(`id,name\n1,${sample}\n2,${sample.repeat(20)}\n`, charsetOf(label)!.table);
    const expected = `id,name\n1,${sample}\n2,${sample.repeat(20)}\n`;
    for (const chunk of [1, 2, 3, 7, 1_000_000]) expect((await utf8(bytes, label, chunk)).toString()).toBe(expected);
  });

  test('gives what iconv-lite gives, for any text that the encoding has', async () => {
    const table = charsetOf(label)!.table;
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        async (text, chunk) => {
          const bytes = iconv.encode(text + sample, table);
          const wanted = iconv.decode(bytes, table, { stripBOM: false });
          fc.pre(!wanted.includes('\uFFFD') || label === 'gb18030');
          expect((await utf8(bytes, label, chunk)).toString()).toBe(wanted);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('any bytes come out as UTF-8 where iconv-lite knows them all, and as no UTF-8 where not', async () => {
    const table = charsetOf(label)!.table;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (some, chunk) => {
        const bytes = Buffer.concat([Buffer.from('x'), some, Buffer.from('\n')]);
        const text = iconv.decode(bytes, table, { stripBOM: false });
        const out = await utf8(bytes, label, chunk);
        if (!text.includes('\uFFFD')) expect(out.toString()).toBe(text);
        else if (label !== 'gb18030') expect(isUtf8(out)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});

describe('undecodable bytes', () => {
  test('come out as delivered, which is no UTF-8', async () => {
    expect(await utf8(Buffer.from([0x61, 0x81, 0x62, 0x0a]), 'windows-1252')).toEqual(
      Buffer.from([0x61, 0x81, 0x62, 0x0a]),
    );
  });

  test('two that are UTF-8 by chance are kept apart', async () => {
    const out = await utf8(Buffer.from([0x61, 0xd2, 0xaa, 0x0a]), 'windows-1253');
    expect(isUtf8(out)).toBe(false);
    expect(out.includes(0xd2) && out.includes(0xaa)).toBe(true);
  });

  test('of shift_jis leave the characters around them whole', async () => {
    const bytes = Buffer.concat([
      iconv.encode('表,', 'shift_jis'),
      Buffer.of(0xfd),
      iconv.encode('表\n計\n', 'shift_jis'),
    ]);
    for (const chunk of [1, 100])
      expect(await utf8(bytes, 'shift_jis', chunk)).toEqual(
        Buffer.concat([Buffer.from('表,'), Buffer.of(0xfd), Buffer.from('表\n計\n')]),
      );
  });

  test('a character cut by the line end leaves the line end', async () => {
    const out = await utf8(Buffer.from([0x61, 0x93, 0x0a, 0x62, 0x0a]), 'shift_jis');
    expect(out).toEqual(Buffer.from([0x61, 0x93, 0x0a, 0x62, 0x0a]));
  });

  test('a character cut by the end of the file', async () => {
    expect(isUtf8(await utf8(Buffer.from([0x61, 0x93]), 'shift_jis'))).toBe(false);
  });

  test('200 KiB without any byte that stands alone do not pile up, and are all there', async () => {
    const text = '表計算'.repeat(40_000);
    expect((await utf8(iconv.encode(text, 'shift_jis'), 'shift_jis', 10_000)).toString()).toBe(text);
  });

  test('U+FFFD that the file itself holds is a character', async () => {
    expect((await utf8(iconv.encode('a\uFFFDb', 'utf-16le'), 'utf-16le')).toString()).toBe('a\uFFFDb');
    expect(await utf8(Buffer.from([0x61, 0x84, 0x31, 0xa4, 0x37, 0xff, 0x0a]), 'gb18030')).toEqual(
      Buffer.concat([Buffer.from('a\uFFFD'), Buffer.of(0xff, 0x0a)]),
    );
  });
});

describe('utf-16 and utf-32', () => {
  const text = 'id,name\n1,"é😀日"\n2,\u{10FFFF}x\n';
  const big = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();
  const little = Buffer.from(text, 'utf16le');
  const four = (write: 'writeUInt32LE' | 'writeUInt32BE', from = text): Buffer =>
    Buffer.concat(
      Array.from(from, (c) => {
        const b = Buffer.alloc(4);
        b[write](c.codePointAt(0)!);
        return b;
      }),
    );

  test.each([
    ['utf-16le', little],
    ['utf-16be', big(little)],
    ['utf-16', little],
    ['utf-16', big(little)],
    ['utf-32le', four('writeUInt32LE')],
    ['utf-32be', four('writeUInt32BE')],
  ])('%s without a mark, in any chunks', async (label, bytes) => {
    for (const chunk of [1, 2, 3, 5, 1_000]) expect((await utf8(bytes, label, chunk)).toString()).toBe(text);
  });

  test.each([
    ['utf-16', Buffer.from(`\uFEFF${text}`, 'utf16le'), 'utf-16le'],
    ['utf-16', big(Buffer.from(`\uFEFF${text}`, 'utf16le')), 'utf-16be'],
    ['utf-16le', Buffer.from(`\uFEFF${text}`, 'utf16le'), 'utf-16le'],
    ['auto', big(Buffer.from(`\uFEFF${text}`, 'utf16le')), 'utf-16be'],
    ['auto', four('writeUInt32LE', `\uFEFF${text}`), 'utf-32le'],
    ['utf-32', four('writeUInt32BE', `\uFEFF${text}`), 'utf-32be'],
  ])('%s with a mark: it is dropped and believed', async (label, bytes, name) => {
    expect(await used(bytes, label)).toBe(name);
    for (const chunk of [1, 3, 1_000]) expect((await utf8(bytes, label, chunk)).toString()).toBe(text);
  });

  test('only a mark is no text', async () => {
    expect(await utf8(Buffer.of(0xff, 0xfe), 'utf-16')).toHaveLength(0);
  });

  test.each([
    ['a lone high surrogate', [0x61, 0, 0x00, 0xd8, 0x62, 0]],
    ['a lone low surrogate', [0x61, 0, 0x00, 0xdc, 0x62, 0]],
    ['a high surrogate at the end', [0x61, 0, 0x00, 0xd8]],
    ['half a unit at the end', [0x61, 0, 0x62]],
  ])('%s is no UTF-8', async (_name, bytes) => {
    for (const chunk of [1, 100]) expect(isUtf8(await utf8(Buffer.from(bytes), 'utf-16le', chunk))).toBe(false);
  });

  test.each([[[0, 0, 0x11, 0]], [[0, 0xd8, 0, 0]], [[0x61, 0, 0]]])('utf-32 %j is no UTF-8', async (bytes) => {
    expect(isUtf8(await utf8(Buffer.from(bytes), 'utf-32le'))).toBe(false);
  });

  test('any text comes back, in any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 7 }), async (some, chunk) => {
        expect((await utf8(Buffer.from(`x${some}`, 'utf16le'), 'utf-16le', chunk)).toString()).toBe(`x${some}`);
      }),
    );
  });
});

describe('encoding: utf-8', () => {
  test('passes every byte as it is, bad ones and the mark too', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xc3, 0x0a]);
    for (const chunk of [1, 100]) expect(await utf8(bytes, 'utf-8', chunk)).toEqual(bytes);
  });

  test.each([
    ['utf-8', Buffer.from('\uFEFFa', 'utf16le'), 'utf-16le'],
    ['utf-8', Buffer.from([0xfe, 0xff, 0, 0x61]), 'utf-16be'],
    ['utf-16le', Buffer.from([0xfe, 0xff, 0, 0x61]), 'utf-16be'],
    ['windows-1252', Buffer.from('\uFEFFa'), 'utf-8'],
  ])('%s and the mark of another encoding: FORMAT_MISMATCH', async (label, bytes, mark) => {
    expect(await problem(() => utf8(bytes, label))).toBe(
      `FORMAT_MISMATCH: The file begins with the byte order mark of ${mark}, and format.encoding says ${label}.`,
    );
  });
});

describe('auto, where the text is no UTF-8', () => {
  const doubt = async (text: string, encoding: string): Promise<string | undefined> =>
    (await toUtf8(chunks(iconv.encode(text, encoding)), 'auto')).doubt;

  test('takes windows-1252, and doubts it where the characters are those of another encoding', async () => {
    expect(await doubt('id,name\n1,やまだ たろう\n2,カタカナ\n', 'shift_jis')).toBe(
      'encoding: auto took windows-1252; by its characters the file looks like shift_jis. If it is, declare it',
    );
    expect(await doubt('id,name\n1,北京市海淀区\n2,上海市浦东新区\n', 'gb18030')).toContain('looks like gb18030');
    expect(await doubt('id,name\n1,Müller\n2,Chloé “x” 5 €\n3,Ñandú\n', 'windows-1252')).toBeUndefined();
    expect((await toUtf8(chunks(Buffer.from('id\né\n')), 'auto')).doubt).toBeUndefined();
  });

  test.each([
    ['euc-kr', '대한민국 서울특별시,김철수,주문번호,배송지 주소는 다음과 같습니다'],
    ['gb18030', '重庆,天津,广州,成都,武汉,西安'],
    ['gb18030', '订单编号,客户姓名,收货地址如下,广东省深圳市南山区科技园'],
    ['big5', '臺北市信義區,新北市板橋區,訂單編號,客戶姓名'],
    ['shift_jis', '株式会社,東京都千代田区,ソニー,カタカナひらがな'],
    ['euc-jp', '株式会社,東京都千代田区,ソニー,カタカナひらがな'],
  ])('tells %s from its neighbours: %s', async (encoding, text) => {
    expect(await doubt(`id,name\n${text}\n`, encoding)).toContain(`looks like ${encoding}.`);
  });
});

describe('auto, where some bytes are no UTF-8', () => {
  const auto = async (...parts: readonly (string | Buffer)[]): Promise<{ encoding: string; doubt?: string }> =>
    await toUtf8(chunks(Buffer.concat(parts.map((part) => Buffer.from(part)))), 'auto');
  const e = Buffer.of(0xe9);

  test('takes UTF-8 and says how many there are, and where the first stands', async () => {
    expect(await auto('id\ncafé\ncaf', e, '\nü\n')).toMatchObject({
      encoding: 'utf-8',
      doubt:
        'encoding: auto took utf-8: 1 character above ASCII is no UTF-8 (line 3), 2 are (in the first MiB). Such rows are refused as encoding-error',
    });
  });

  test.each([
    ['halves of surrogate pairs', [Buffer.of(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80), '\n']],
    ['a character cut by the end', ['x\n', Buffer.of(0xe2, 0x82)]],
    ['as many as right ones', ['é\n', e, '\n']],
  ])('%s: still UTF-8', async (_name, parts) => {
    expect((await auto(...parts)).encoding).toBe('utf-8');
  });

  test('more of them than right ones: windows-1252', async () => {
    expect((await auto('é\n', e, '\n', e, '\n')).encoding).toBe('windows-1252');
  });

  test('windows-1252 by the first MiB and UTF-8 behind it: nothing is loaded, FORMAT_MISMATCH', async () => {
    const whole = async (tail: string | Buffer): Promise<Buffer> =>
      await utf8(
        Buffer.concat([e, Buffer.from('\n'), Buffer.alloc(2 ** 20, 'a\n'), Buffer.from(tail)]),
        'auto',
        50_000,
      );
    expect(await problem(() => whole('é\nü\nß\n'))).toContain(
      'FORMAT_MISMATCH: encoding: auto took windows-1252 by the first MiB of the file, which is no UTF-8; behind it 3 characters above ASCII are UTF-8 and 0 are not.',
    );
    expect((await whole(Buffer.of(0xe9, 0x0a, 0xfc, 0x0a))).toString()).toMatch(/^é[^]*é\nü\n$/u);
  });

  test('escape sequences of iso-2022-jp are told, though they are ASCII', async () => {
    expect((await auto('id\n', Buffer.from('\x1b$B;3ED\x1b(B\n', 'latin1'))).doubt).toContain('iso-2022-jp');
  });
});

describe('UTF-16 without a byte order mark', () => {
  const text = 'id,name\n1,Zoë\n2,北京\n';
  const little = Buffer.from(text, 'utf16le');
  const kinds = [
    ['utf-16le', little],
    ['utf-16be', Buffer.from(little).swap16()],
  ] as const;

  test.each(kinds)('%s: auto sees it by its zeros', async (name, bytes) => {
    expect(await used(bytes, 'auto')).toBe(name);
    expect((await utf8(bytes, 'auto', 1)).toString()).toBe(text);
  });

  test.each(kinds)('%s: under utf-8 the file is rejected, and told what it is', async (name, bytes) => {
    await expect(toUtf8(chunks(bytes), 'utf-8')).rejects.toMatchObject({
      code: 'FORMAT_MISMATCH',
      fix: `Set format.encoding to ${name} or auto.`,
    });
  });

  test('a zero in a UTF-8 text does not make it UTF-16', async () => {
    for (const some of ['x\n\0\n', 'a\0', '\0\0\0\0', `id\n${'1\n'.repeat(40)}\0\0\n`]) {
      for (const label of ['utf-8', 'auto']) expect((await utf8(Buffer.from(some), label)).toString()).toBe(some);
    }
  });
});

describe('encoding: auto', () => {
  test.each([
    ['ASCII', Buffer.from('a,b\n1,2\n'), 'utf-8'],
    ['UTF-8', Buffer.from('é\n'), 'utf-8'],
    ['UTF-8 with a mark', Buffer.from('\uFEFFé\n'), 'utf-8'],
    ['nothing', Buffer.alloc(0), 'utf-8'],
    ['é of windows-1252 as the last byte', Buffer.from([0x61, 0xe9]), 'windows-1252'],
    ['€ of windows-1252', Buffer.from([0x80, 0x0a]), 'windows-1252'],
    [
      'UTF-8 whose character the sample cuts',
      Buffer.concat([Buffer.alloc(2 ** 20 - 1, 0x61), Buffer.from('é\n')]),
      'utf-8',
    ],
    [
      'a bad byte behind the first MiB: still UTF-8, its row is refused',
      Buffer.concat([Buffer.alloc(2 ** 20, 0x61), Buffer.of(0xe9)]),
      'utf-8',
    ],
  ])('%s', async (_name, bytes, name) => {
    expect(await used(bytes, 'auto')).toBe(name);
  });

  test('looks at 1 MiB that comes byte by byte, and loses none of it', async () => {
    const bytes = Buffer.from('name\nAndr\xe9\n', 'latin1');
    expect((await utf8(bytes, 'auto', 1)).toString()).toBe('name\nAndré\n');
  });
});

describe('labels', () => {
  test.each([
    ['UTF8', 'utf-8'],
    ['unicode-1-1-utf-8', 'utf-8'],
    ['latin1', 'windows-1252'],
    ['ISO-8859-1', 'windows-1252'],
    ['x-sjis', 'shift_jis'],
    ['ms_kanji', 'shift_jis'],
    ['cp1250', 'windows-1250'],
    ['win1251', 'win1251'],
    ['cp850', 'cp850'],
    ['gb2312', 'gbk'],
    [' Big5 ', 'big5'],
    ['ks_c_5601-1987', 'euc-kr'],
  ])('%s is %s', (label, name) => {
    expect(charsetOf(label)?.name).toBe(name);
  });

  test.each(['base64', 'hex', 'utf-7', 'utf-7-imap', 'iso-2022-jp', 'latin-99', '', 'replacement', 'x-user-defined'])(
    '%s cannot be read',
    (label) => {
      expect(charsetOf(label)).toBeNull();
    },
  );
});
