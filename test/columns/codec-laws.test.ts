import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAIN_OPTIONS } from '../../src/columns/column-type.js';
import { COLUMN_TYPES, codecFor, textCodec } from '../../src/columns/types/index.js';
import type { Codec } from '../../src/core/codec.js';
import { catalogType, encode, oneOf } from './support.js';

/** Cells that come near to being values of some type, and cells that are nothing. */
const cell = fc.oneof(
  fc.string({ unit: oneOf('0123456789+-.,eE:/TZ '), maxLength: 40 }),
  fc.string({ unit: oneOf('0123456789abcdefABCDEF-{}\\x'), maxLength: 50 }),
  fc.json({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.uuid(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);

const TYPMODS: Readonly<Record<string, readonly number[]>> = {
  numeric: [-1, 786_438, 4 + ((3 << 16) | 2046)],
  varchar: [-1, 9],
  bpchar: [-1, 9],
  time: [-1, 0],
  timestamp: [-1, 0],
  timestamptz: [-1, 3],
};

const codecs: readonly (readonly [string, Codec])[] = [
  ...COLUMN_TYPES.flatMap((family) => family.typnames).flatMap((typname) =>
    (TYPMODS[typname] ?? [-1]).flatMap((typmod) =>
      [PLAIN_OPTIONS, { ...PLAIN_OPTIONS, round: true }, { ...PLAIN_OPTIONS, decimal: ',', thousands: '.' }].map(
        (options, i) =>
          [
            `${typname} ${typmod} ${['plain', 'round', 'localised'][i]!}`,
            codecFor(catalogType(typname, { typmod }), options)!,
          ] as const,
      ),
    ),
  ),
  ['enum', codecFor(catalogType('e', { enumLabels: ['1', 'a', 'true'] }), PLAIN_OPTIONS)!],
  ['inet', textCodec(catalogType('inet'))],
];

describe.each(codecs)('%s', (_name, codec) => {
  test('stays within maxSize, touches nothing else, leaves no trace of a refusal, and agrees in both modes', () => {
    fc.assert(
      fc.property(cell, (text) => {
        const binary = encode(codec, text);
        const copied = encode(codec, text, 'text');
        if (typeof binary === 'object' && 'value' in binary) expect(copied).toHaveProperty('value');
        else expect(copied).toEqual(binary);
      }),
      { numRuns: 300 },
    );
  });

  test('gives every refusal a reason', () => {
    for (let code = 1; code <= 5; code++) expect(codec.explain(code)).not.toBe('');
  });
});
