import { describe, expect, test } from 'vitest';
import { guessEightBit } from '../../../src/decode/charset/eight-bit.js';
import { toUtf8 } from '../../../src/decode/charset/charset.js';
import { chunks, collect } from '../../decode/support.js';
import { DAMAGED_CASES, encodingCases, UNICODE_CASES } from './encodings.js';
import { judge, type CorpusCase } from './frame.js';
import { JSON_CASES } from './json.js';

/** Lists of cases: what is added here is held against its right answers. */
const LISTS: Readonly<Record<string, readonly CorpusCase[]>> = {
  'damaged UTF-8': DAMAGED_CASES,
  'Unicode without damage': UNICODE_CASES.filter(({ name }) => name.includes('dense')).filter((_, at) => at % 7 === 0),
  'encodings with few letters above ASCII': encodingCases(3).filter((_, at) => at % 23 === 0),
};

describe.each(Object.entries(LISTS))('%s', (_, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))(
    '%s: no wrong guess without a comment',
    async (_name, one) => {
      expect((await judge(one)).silent).toEqual([]);
    },
  );
});

test.each(UNICODE_CASES.filter((_, at) => at % 11 === 0).map((one) => [one.name, one] as const))(
  '%s is read right',
  async (_, one) => expect((await judge(one)).wrong).toEqual([]),
);

test.each(DAMAGED_CASES.map((one) => [one.name, one] as const))('UTF-8 stays UTF-8 and is told: %s', async (_, one) => {
  const { wrong, draft } = await judge(one);
  expect(wrong).toEqual([]);
  expect(draft.notes.join('\n')).toMatch(/encoding: .* above ASCII (is|are) no UTF-8/);
});

test.each(JSON_CASES.map((one) => [one.name, one] as const))('JSON: %s', async (_, one) => {
  expect((await judge(one)).wrong).toEqual([]);
});

test('lines that are all no JSON are told as such, and not read as CSV', async () => {
  const one = { name: 'single quotes', content: "{'id':1}\n{'id':2}\n", right: {} };
  await expect(judge(one)).rejects.toMatchObject({
    code: 'FORMAT_MISMATCH',
    message: expect.stringContaining('line 1: not valid JSON: a key in quotes was expected') as string,
  });
});

/** Share of the cases whose text comes out as it is. */
async function accuracy(cases: readonly CorpusCase[]): Promise<number> {
  let right = 0;
  for (const { content, right: wanted } of cases) {
    const all = Buffer.from(content);
    const { label, doubt } = guessEightBit(all);
    // What is no UTF-8 is never beyond doubt.
    expect(doubt).not.toBeNull();
    if ((await collect((await toUtf8(chunks(all), label)).bytes)).toString() === wanted.text) right++;
  }
  return right / cases.length;
}

describe('40 encodings in 32 languages: the text comes out right', () => {
  // Some of them: all 1,571 give 82, 98.6 and 99.4 percent.
  // Romanian in iso-8859-16 is among the rest: its s and t with comma have the bytes of those with cedilla in
  // windows-1250.
  test.each([
    [1, 0.78, 9],
    [3, 0.96, 17],
    [8, 0.97, 43],
  ])('of tables with %i cells above ASCII in %d of the cases at least', async (count, share, every) => {
    const cases = encodingCases(count).filter((_, at) => at % every === 0);
    expect(await accuracy(cases)).toBeGreaterThanOrEqual(share);
  });
});
