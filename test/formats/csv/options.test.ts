import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { csv } from '../../../src/formats/csv/index.js';

const problems = (options: unknown): string[] =>
  (csv.options.safeParse(options).error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);

describe('the options of csv', () => {
  test('have the defaults of the specification', () => {
    expect(csv.options.parse({})).toEqual({
      header: true,
      delimiter: ',',
      quote: '"',
      quotes: 'strict',
      quote_blanks: false,
      escape_unquoted: false,
      escape_letters: null,
      excel_text: false,
      comment: null,
      skip_lines: 0,
      skip_after_header: 0,
      repeated_header: 'data',
      footer: null,
      encoding: 'utf-8',
      nulls: [''],
      nulls_quoted: false,
      short_rows: 'quarantine',
      long_rows: 'quarantine',
      max_record: 16 * 2 ** 20,
    });
  });

  test.each([
    ['64KiB', 65_536],
    ['1MB', 1_000_000],
    [4096, 4096],
  ])('take %s for a size', (size, bytes) => {
    expect(csv.options.parse({ max_record: size }).max_record).toBe(bytes);
  });

  test.each([
    [{ max_record: 'much' }, 'max_record: must be a size from 1 byte to 512MiB, such as 16MiB'],
    [{ max_record: '1GiB' }, 'max_record: must be a size from 1 byte to 512MiB, such as 16MiB'],
    [{ max_record: 0 }, 'max_record: must be a size from 1 byte to 512MiB, such as 16MiB'],
    [{ delimiter: '' }, 'delimiter: delimiter cannot be empty'],
    [{ delimiter: '\n' }, 'delimiter: delimiter cannot hold a line end'],
    [{ delimiter: '"' }, 'quote: cannot be told from delimiter'],
    [{ escape: ',' }, 'escape: cannot be told from delimiter'],
    [{ escape: '""' }, 'escape: cannot be told from quote'],
    [{ comment: '"x' }, 'comment: cannot be told from quote'],
    [{ comment: ',' }, 'comment: cannot be told from delimiter'],
    [{ escape_unquoted: true, escape: null }, 'escape_unquoted: needs an escape that is not the quote'],
    [{ escape_letters: 'mysql' }, 'escape_letters: has no meaning without escape_unquoted: true'],
    [{ footer: '(' }, 'footer: is no regular expression: /(/: Unterminated group'],
    [{ header: false, repeated_header: 'skip' }, 'repeated_header: has no meaning without a header'],
    [{ skip_lines: -1 }, 'skip_lines: Too small: expected number to be >=0'],
  ])('refuse %j', (options, message) => {
    expect(problems(options)).toContain(message);
  });

  test('refuse keys that they do not know', () => {
    expect(problems({ delimeter: ';' })).toEqual([': Unrecognized key: "delimeter"']);
  });

  test('have a JSON Schema', () => {
    const schema = z.toJSONSchema(csv.options, { io: 'input' });
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(Object.keys(schema.properties ?? {})).toEqual([
      'preset',
      'header',
      'delimiter',
      'quote',
      'escape',
      'quotes',
      'quote_blanks',
      'escape_unquoted',
      'escape_letters',
      'excel_text',
      'comment',
      'skip_lines',
      'skip_after_header',
      'repeated_header',
      'footer',
      'encoding',
      'nulls',
      'nulls_quoted',
      'short_rows',
      'long_rows',
      'max_record',
    ]);
  });
});
