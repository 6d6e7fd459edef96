import { describe, expect, test } from 'vitest';
import { TEMPLATE_CONFIG, TEMPLATE_DROP, TEMPLATE_SAMPLE } from '../../src/config/template.js';
import { onlyFeed, parse } from './support.js';
import picomatch from 'picomatch';

describe('the config of tallyman init', () => {
  test('loads without mistake or warning', () => {
    expect(parse(TEMPLATE_CONFIG).warnings).toEqual([]);
  });

  test('watches the drop folder and takes the sample file', () => {
    const { source } = onlyFeed(parse(TEMPLATE_CONFIG, { base: '/x' }));
    expect([source.options, source.patterns.some((p) => picomatch.isMatch(TEMPLATE_SAMPLE.name, p))]).toEqual([
      { dir: `/x/${TEMPLATE_DROP}` },
      true,
    ]);
  });

  test("the sample's header has every column of the contract", () => {
    const header = TEMPLATE_SAMPLE.text.split('\n')[0]?.split(',');
    expect(onlyFeed(parse(TEMPLATE_CONFIG)).columns?.map((c) => c.from[0])).toEqual(header);
  });
});
