import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json } from '../../../src/formats/json/index.js';

describe('options', () => {
  test('have their defaults', () => {
    expect(json.options.parse({})).toEqual({
      shape: 'auto',
      root: null,
      strict: true,
      encoding: 'utf-8',
      max_record: 16 * 2 ** 20,
    });
  });

  test.each([
    [{ shape: 'array', root: 'a.b' }],
    [{ root: 'a[0].b' }],
    [{ root: 'with blank' }],
    [{ max_record: '1MiB' }],
  ])('take %j', (options) => {
    expect(json.options.safeParse(options).success).toBe(true);
  });

  test.each([
    [{ shape: 'rows' }, 'shape'],
    [{ root: '' }, 'root'],
    [{ root: 'a..b' }, 'root: is no path such as data.items or results[0].rows'],
    [{ root: 'a[x]' }, 'root'],
    [{ shape: 'lines', root: 'a' }, 'root: names an array within one document, so shape cannot be lines'],
    [{ max_record: 0 }, 'max_record: must be a size from 1 byte to 512MiB, such as 16MiB'],
    [{ encoding: 'utf-7' }, 'encoding: is no encoding that can be read'],
    [{ header: true }, ''],
  ])('refuse %j', (options, message) => {
    const result = json.options.safeParse(options);
    expect(result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)[0]).toContain(message);
  });

  test('have a JSON Schema', () => {
    expect(Object.keys(z.toJSONSchema(json.options, { io: 'input' }).properties ?? {})).toEqual([
      'shape',
      'root',
      'strict',
      'encoding',
      'max_record',
    ]);
  });
});
