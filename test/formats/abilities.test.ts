import { describe, expect, test } from 'vitest';
import { FORMATS } from '../../src/registry.js';

/** What a format says of itself must agree with the keys that it takes: nobody asks it for keys by name. */
describe.each(FORMATS.map((format) => [format.type, format] as const))('%s', (_type, format) => {
  const takes = (options: Readonly<Record<string, unknown>>): boolean => format.options.safeParse(options).success;
  const defaults = format.options.parse({});

  test('has words for NULL exactly when it takes nulls', () => {
    expect(format.hasNullWords ?? false).toBe(takes({ nulls: [''] }));
  });

  test('is a sheet exactly when it takes header and skip_rows', () => {
    expect(format.isSheet ?? false).toBe(takes({ header: false, skip_rows: 0 }));
  });

  test('is text exactly when it takes an encoding, and tells it', () => {
    expect(format.text(defaults) !== null).toBe(takes({ encoding: 'utf-8' }));
    if (format.text(defaults) === null) return;
    expect(format.text(format.options.parse({ encoding: 'cp1252' }))?.encoding).toBe('cp1252');
  });

  test('text is read from front to back, and may be empty', () => {
    if (format.text(defaults) === null) return;
    expect([format.access, format.emptyIsValid]).toEqual(['stream', true]);
  });

  test.each(['auto', 'utf-16', 'utf-32'])('of a text in %s the encoding is found out file by file', (encoding) => {
    if (format.text(defaults) === null) return;
    expect(format.text(defaults)?.found).not.toContain('encoding');
    expect(format.text(format.options.parse({ encoding }))?.found).toContain('encoding');
  });

  test.each(['comment', 'quote', 'escape'] as const)('tells its %s', (key) => {
    if (!takes({ [key]: '^' })) return;
    expect(format.text(format.options.parse({ [key]: '^' }))?.[key]).toBe('^');
    expect(format.text(format.options.parse({ [key]: null }))?.[key]).toBeNull();
  });

  test('tells its skip_lines', () => {
    if (!takes({ skip_lines: 3 })) return;
    expect(format.text(format.options.parse({ skip_lines: 3 }))?.skipLines).toBe(3);
  });

  test.each(['delimiter', 'shape'])('%s: auto is found out file by file', (key) => {
    if (!takes({ [key]: 'auto' })) return;
    expect(format.text(format.options.parse({ [key]: 'auto' }))?.found).toContain(key);
  });
});

test('a delimiter and a shape that are set are found out of no file', () => {
  const found = (type: string, options: Readonly<Record<string, unknown>>): readonly string[] | undefined => {
    const format = FORMATS.find((one) => one.type === type)!;
    return format.text(format.options.parse(options))?.found;
  };
  expect(found('csv', {})).toEqual(['line_ends', 'bom']);
  expect(found('csv', { delimiter: 'auto', encoding: 'auto' })).toEqual(['delimiter', 'encoding', 'line_ends', 'bom']);
  expect(found('json', { shape: 'lines' })).toEqual(['bom']);
  expect(found('fixed', {})).toEqual(['line_ends', 'bom']);
});
