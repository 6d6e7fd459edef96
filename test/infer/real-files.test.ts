import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../../src/registry.js';
import { zipOf, zstdOf } from '../decode/support.js';
import { DATA, put, roundTrip, typesOf } from './support.js';

const at = (name: string): string => path.join(DATA, name);
const registered = (type: string): boolean => FORMATS.some((format) => format.type === type);

/** Records as NOTE.md beside the files says. */
const COUNTS: readonly (readonly [string, number])[] = [
  ['tables/ieee-oui.csv', 32_530],
  ['tables/zipcodes.csv', 42_049],
  ['tables/birdstrikes.csv', 10_000],
  ['tables/UnicodeData.txt', 34_924],
  ['tables/routes.dat', 67_663],
  ['tables/airports.dat', 7_698],
  ['tables/airlines.dat', 6_162],
  ['json/movies.json', 3_201],
  ['json/cities-20k.json', 20_000],
  ['json/github-issues-nested.ndjson', 100],
];

describe('a feed made by infer alone reads', () => {
  test.each(COUNTS)('all of %s: %i records, none refused', async (name, count) => {
    const { rows, error, errors } = await roundTrip(at(name));
    expect({ rows, error, errors }).toMatchObject({
      rows: { read: count, loaded: count, quarantined: 0 },
      error: null,
      errors: [],
    });
  });

  const spectrum = path.join(DATA, 'csv-spectrum/csvs');
  test.each(readdirSync(spectrum))('csv-spectrum %s as its JSON says', async (name) => {
    const wanted: unknown = JSON.parse(
      readFileSync(path.join(DATA, 'csv-spectrum/json', name.replace('.csv', '.json')), 'utf8'),
    );
    const count = Array.isArray(wanted) ? wanted.length : 1;
    const { rows, error, draft } = await roundTrip(path.join(spectrum, name));
    expect({ rows, error }).toMatchObject({ rows: { read: count, loaded: count }, error: null });
    const [first] = Array.isArray(wanted) ? (wanted as unknown[]) : [wanted];
    expect(draft.columns.map((column) => column.from ?? column.name)).toEqual(Object.keys(first as object));
  });

  test.each(COUNTS)(
    'all of %s through gzip, zstd, zip and UTF-16 with and without a byte order mark, with the same types: %i records',
    async (name, count) => {
      const bytes = readFileSync(at(name));
      const base = path.basename(name);
      const wide = Buffer.from(bytes.toString('utf8'), 'utf16le');
      const packed = [
        put(`${base}.gz`, gzipSync(bytes)),
        put(`${base}.zst`, zstdOf(bytes)),
        put(`${base}.zip`, zipOf([{ name: base, content: bytes }])),
        put(`16-${base}`, Buffer.concat([Buffer.of(0xff, 0xfe), wide])),
        put(`16le-${base}`, wide),
      ];
      let types: readonly string[] | null = null;
      for (const file of packed) {
        const { rows, error, draft } = await roundTrip(file);
        expect({ file: path.basename(file), rows, error }).toMatchObject({
          rows: { read: count, loaded: count, quarantined: 0 },
          error: null,
        });
        types ??= typesOf(draft);
        expect(typesOf(draft)).toEqual(types);
      }
    },
  );

  const parquet = at('parquet/parquet-testing');
  const expected = readFileSync(path.join(parquet, 'EXPECTED.tsv'), 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  const readable = expected.flatMap(([file = '', , rows = '']) =>
    /^\d+$/.test(rows) && file.startsWith('data/') ? [[path.basename(file), Number(rows)] as const] : [],
  );
  // Each starts a reader in a process of its own: all of them take a minute.
  const some =
    process.env['TALLYMAN_TEST_LARGE'] === undefined ? readable.filter((_, index) => index % 12 === 0) : readable;
  test.runIf(registered('parquet')).each(some)(
    '%s: %i records, with the types that it carries',
    async (name, count) => {
      const { rows, error } = await roundTrip(path.join(parquet, name));
      // One of its timestamps stands in the year 290,000: no timestamp of PostgreSQL's ISO years.
      const refused = name === 'int96_from_spark.parquet' ? 1 : 0;
      expect({ rows, error }).toMatchObject({
        rows: { read: count, loaded: count - refused, quarantined: refused },
        error: null,
      });
    },
  );
});

describe('types in real files', () => {
  test('zip codes with leading zeros stay text', async () => {
    expect(typesOf((await roundTrip(at('tables/zipcodes.csv'))).draft)).toEqual([
      'zip_code text',
      'latitude numeric(12,6)',
      'longitude numeric(12,6)',
      'city text',
      'state text',
      'county text',
    ]);
  });

  test('\\N is NULL, and ids beside it are integers', async () => {
    const { draft } = await roundTrip(at('tables/routes.dat'));
    expect(draft.format).toMatchObject({ header: false, nulls: ['', '\\N'] });
    expect(typesOf(draft).slice(0, 4)).toEqual([
      'column_1 text',
      'column_2 integer',
      'column_3 text',
      'column_4 integer',
    ]);
  });

  test('a column of several types in JSON is text, dates in words have their format, nested values are jsonb', async () => {
    expect(typesOf((await roundTrip(at('json/movies.json'))).draft)).toEqual(
      expect.arrayContaining(['title text', 'release_date date %b %d %Y', 'worldwide_gross bigint']),
    );
    expect(typesOf((await roundTrip(at('json/github-issues-nested.ndjson'))).draft)).toEqual(
      expect.arrayContaining(['id bigint', 'actor jsonb', 'public boolean', 'created_at timestamptz']),
    );
  });
});
