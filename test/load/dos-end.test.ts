import { describe, expect, test } from 'vitest';
import { DosText } from '../../src/formats/dos-end.js';
import { put, roundTrip } from '../infer/support.js';
import { chunks, collect } from '../decode/support.js';

const text = async (content: string, chunk?: number): Promise<{ text: string; notes: number }> => {
  const dos = new DosText(chunks(Buffer.from(content), chunk));
  const read = (await collect(dos.bytes)).toString();
  return { text: read, notes: dos.notes().length };
};

describe('Ctrl-Z at the end of a file', () => {
  test.each([
    ['a\n\x1a', 'a\n', 1],
    ['a\n\x1a\x1a\x1a\0\r\n', 'a\n', 1],
    ['a\x1a', 'a', 1],
    ['\x1a', '', 1],
    ['a\x1ab\n\n\n', 'a\x1ab\n\n\n', 0],
    ['a\r\n', 'a\r\n', 0],
  ])('%j is %j', async (content, wanted, notes) => {
    for (const chunk of [1, 2, 1000]) expect(await text(content, chunk)).toEqual({ text: wanted, notes });
  });

  test.each([
    ['csv', 'id,name\r\n1,a\r\n2,b\r\n\x1a'],
    ['csv of UTF-16', Buffer.from('\ufeffid,name\r\n1,é\r\n2,b\r\n\x1a', 'utf16le')],
    ['fixed', 'abc  123 xyz\nabcd  23 xyz\nab   123 x z\nabc    3  yz\n\x1a\x1a'],
    ['json', '{"id":1}\n{"id":2}\n\x1a'],
  ])('is no record of %s, and told', async (name, content) => {
    const { rows, error, errors, drift } = await roundTrip(put(`dos-${name.slice(0, 3)}.txt`, content));
    expect({ error, errors, quarantined: rows.quarantined }).toEqual({ error: null, errors: [], quarantined: 0 });
    expect(drift.map(({ message }) => message).join()).toContain('Ctrl-Z (0x1A) ends the file');
  });
});
