import iconv from 'iconv-lite';
import { charsetOf } from '../../../src/decode/charset/charset-names.js';
import { EVERYDAY } from './languages.js';
import type { CorpusCase } from './frame.js';

/** Records of an everyday table; letters above ASCII stand in few of them. */
const RECORDS = 60;

/** A table in which the cells stand among plain ones. */
export function tableOf(cells: readonly string[]): string {
  const every = Math.max(1, Math.floor(RECORDS / cells.length));
  const records = Array.from({ length: RECORDS }, (_, index) => {
    const cell = index % every === 0 ? cells[index / every] : undefined;
    return `${index + 1},${cell ?? 'Smith'},Springfield,${index}.50\n`;
  });
  return `id,name,city,amount\n${records.join('')}`;
}

/** Cells of the language that the encoding can hold, so that nothing is lost. */
export function cellsIn(cells: string, encoding: string): readonly string[] {
  const table = charsetOf(encoding)?.table ?? encoding;
  const held = (cell: string): boolean => iconv.decode(iconv.encode(cell, table), table) === cell;
  return cells.split('|').filter((cell) => /[^\0-\x7f]/.test(cell) && held(cell));
}

/** Every encoding in every language, with so many cells above ASCII, each cell taken once as the first. */
export function encodingCases(count: number): readonly CorpusCase[] {
  return EVERYDAY.flatMap(({ language, encodings, cells }) =>
    encodings.flatMap((encoding) => {
      const held = cellsIn(cells, encoding);
      return held.map((first, from) => {
        const text = tableOf(
          Array.from(
            { length: Math.min(count, held.length) },
            (_, index) => held[(from + index) % held.length] ?? first,
          ),
        );
        return {
          name: `${language} in ${encoding}: ${first}`,
          content: iconv.encode(text, charsetOf(encoding)?.table ?? encoding),
          right: { text },
        };
      });
    }),
  );
}

const wide = (text: string, encoding: string, addBOM: boolean): Buffer => iconv.encode(text, encoding, { addBOM });

/** Unicode in all its forms, with and without its mark. */
export const UNICODE_CASES: readonly CorpusCase[] = EVERYDAY.flatMap(({ language, cells }) => {
  const text = tableOf(cells.split('|'));
  // All of it in one script: most letters have no zero byte.
  const dense = `${cells.split('|').join(';')}\n`.repeat(8);
  return (['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'] as const).flatMap((encoding) =>
    [true, false].flatMap((mark) =>
      [text, dense].map((one) => ({
        name: `${language} in ${encoding} ${mark ? 'with' : 'without'} its mark${one === dense ? ', dense' : ''}`,
        content: wide(one, encoding, mark),
        right: { text: one },
      })),
    ),
  );
});

const cafes = (count: number, cell: string): string =>
  Array.from({ length: count }, (_, index) => `${index},${cell}\n`).join('');
const bytes = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([...part]))));

/** UTF-8 that was damaged: it stays UTF-8, and that some rows are refused is said. */
export const DAMAGED_CASES: readonly CorpusCase[] = [
  { name: 'a character cut in the middle', content: bytes('id,name\n', cafes(9, 'café'), '9,caf', [0xc3], '\n') },
  { name: 'one Latin-1 letter', content: bytes('id,name\n', cafes(9, 'Łódź'), '9,caf', [0xe9], '\n') },
  { name: 'as many Latin-1 letters as right ones', content: bytes('id,name\n1,café\n2,caf', [0xe9], '\n') },
  { name: 'a character cut by the end of the file', content: bytes('id,name\n1,caf', [0xe2, 0x82]) },
  {
    name: 'halves of surrogate pairs (CESU-8)',
    content: bytes('id,name\n1,', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], '\n'),
  },
  { name: 'a bad byte in the header', content: bytes('id,na', [0xef], 'me\n', cafes(9, 'café')) },
  { name: 'a byte order mark before Latin-1', content: bytes([0xef, 0xbb, 0xbf], 'id,name\n1,caf', [0xe9], '\n') },
  { name: 'overlong zeros', content: bytes('id,name\n', cafes(9, '日本'), '9,', [0xc0, 0x80], '\n') },
  { name: 'one bad byte far behind', content: bytes('id,name\n', cafes(40_000, 'naïve'), '9,caf', [0xe9], '\n') },
].map((one) => ({ ...one, right: { format: { encoding: undefined } } }));
