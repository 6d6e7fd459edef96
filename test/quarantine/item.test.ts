import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportJsonl } from '../../src/quarantine/export/jsonl.js';
import { quarantineItem } from '../../src/quarantine/item.js';
import { readable, readableStart } from '../../src/quarantine/readable.js';
import { aboutOf, fault, quarantined, written } from './support.js';

describe('an item of quarantine show', () => {
  test('has the keys that the spec names and no others when the record is text', () => {
    expect(quarantineItem(quarantined('1,x', [fault('a')]))).toEqual({
      quarantine_id: 7,
      row: 3,
      line: 4,
      byte_offset: 20,
      errors: [{ column: 'a', class: 'type-error', rule: null, message: 'not an integer', value: null }],
      raw: '1,x',
    });
  });

  test('of an archive tells the member', () => {
    expect(quarantineItem(quarantined('1,x', [fault('a')], { member: 'day1/é.csv' }))).toMatchObject({
      row: 3,
      line: 4,
      member: 'day1/é.csv',
    });
  });

  test('shows bytes that are no UTF-8 as \\xHH, and has the exact ones beside it', () => {
    const raw = Buffer.from('4dfc6c6c6572', 'hex');
    expect(quarantineItem(quarantined(raw))).toMatchObject({ raw: 'M\\xFCller', raw_base64: raw.toString('base64') });
  });

  test('keeps a NUL of valid text as it is', () => {
    expect(quarantineItem(quarantined('a\0b')).raw).toBe('a\0b');
  });

  test('keeps a byte order mark', () => {
    expect(quarantineItem(quarantined('\uFEFFa')).raw).toBe('\uFEFFa');
  });

  test('tells the whole length when only the beginning was kept', () => {
    expect(quarantineItem(quarantined('abc', [], { rawLength: 5000 })).raw_length).toBe(5000);
  });
});

describe('the jsonl export', () => {
  test('is one object a line', async () => {
    const lines = (await written(exportJsonl, [quarantined('"x\ny"'), quarantined('2')], aboutOf(['a']))).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines.slice(0, 2).map((line) => (JSON.parse(line) as { raw: string }).raw)).toEqual(['"x\ny"', '2']);
  });

  test('gives back every byte of any record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
        ),
        async (bytes) => {
          const raw = Buffer.from(bytes);
          const item = JSON.parse(await written(exportJsonl, [quarantined(raw)], aboutOf(['a']))) as {
            raw: string;
            raw_base64?: string;
          };
          expect(
            item.raw_base64 === undefined ? Buffer.from(item.raw) : Buffer.from(item.raw_base64, 'base64'),
          ).toEqual(raw);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('readable text', () => {
  test('is the text itself where the bytes are text, over blocks of any length', () => {
    const text = 'aé€😀'.repeat(40_000);
    for (let shift = 0; shift < 4; shift++)
      expect(readable(Buffer.from('x'.repeat(shift) + text)) === 'x'.repeat(shift) + text).toBe(true);
  });

  test('shows each undecodable byte, also at the edge of a block', () => {
    const bytes = Buffer.concat([Buffer.alloc(65_535, 0x61), Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0xe2, 0x82])]);
    expect(readable(bytes)).toBe('a'.repeat(65_535) + '\\x80'.repeat(5) + '\\xE2\\x82');
  });

  test('of the beginning never cuts a character', () => {
    for (let most = 1; most < 9; most++) expect(readableStart(Buffer.from('€€€€'), most)).toMatch(/^€* …$/);
  });

  test('of the beginning is the whole when it is short enough', () => {
    expect(readableStart(Buffer.from('€€'), 6)).toBe('€€');
  });
});
