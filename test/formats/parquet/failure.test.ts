import { describe, expect, test } from 'vitest';
import { failureOf } from '../../../src/formats/parquet/failure.js';

describe('what went wrong in the reading process', () => {
  test('a piece that is larger than all the reader may have is a trait of the file: it is not tried again', () => {
    const found = failureOf(
      new Error(
        'Out of Memory Error: failed to allocate data of size 2.0 GiB (68.1 KiB/1.0 GiB used)\n\nPossible solutions: ...',
      ),
    );
    expect(found).toMatchObject({
      code: 'EXPANSION_LIMIT',
      message: expect.stringContaining('asks for 2.0 GiB of memory at once, the reader may have 1.0 GiB') as string,
    });
  });

  test.each([
    'Out of Memory Error: failed to allocate data of size 600.0 MiB (700.2 MiB/1.0 GiB used)',
    'Out of Memory Error: could not allocate block of size 256.0 KiB (1.0 GiB/1.0 GiB used)',
  ])('memory that is used up is tried again: %s', (message) => {
    expect(failureOf(new Error(message))).toMatchObject({
      code: 'LOAD_FAILED',
      fix: expect.stringContaining('smaller row groups') as string,
    });
  });

  test('what DuckDB says of a file stands without its path', () => {
    expect(failureOf(new Error(`Invalid Input Error: File '/tmp/x/1.parquet' too small to be a Parquet file`))).toEqual(
      { code: 'FILE_CORRUPT', message: 'The Parquet file cannot be read: too small to be a Parquet file', fix: null },
    );
  });
});
