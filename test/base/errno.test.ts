import { stat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { errnoOf, hasCode } from '../../src/base/errno.js';

describe('the code of an error', () => {
  test('of a failed call of the system', async () => {
    const error: unknown = await stat('/no/such/file').catch((thrown: unknown) => thrown);
    expect(errnoOf(error)).toBe('ENOENT');
    expect(hasCode(error, 'ENOTDIR', 'ENOENT')).toBe(true);
    expect(hasCode(error, 'ENOTDIR')).toBe(false);
  });

  test('none where there is none, or no error, or a number', () => {
    for (const thrown of [
      new Error('plain'),
      { code: 'ENOENT' },
      null,
      'ENOENT',
      Object.assign(new Error(), { code: 2 }),
    ]) {
      expect(errnoOf(thrown)).toBe('');
      expect(hasCode(thrown, 'ENOENT')).toBe(false);
    }
  });
});
