import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.client.query(`set timezone = 'UTC'`);
});
afterAll(async () => {
  await db.drop();
});

/**
 * Microseconds since 2000-01-01 UTC; null = refused. Without the checks of `encode`: there are very many cells here.
 */
const instants = (zone: string, cells: readonly string[]): (bigint | null)[] => {
  const codec = codecOf('timestamptz', { timezone: zone });
  const out = { buf: Buffer.alloc(64), pos: 0 };
  return cells.map((cell) => {
    const bytes = Buffer.from(cell);
    out.pos = 0;
    return codec.encode(bytes, 0, bytes.length, out) === 0 ? out.buf.readBigInt64BE(4) : null;
  });
};

/** The instant in UTC as PostgreSQL writes it, or the refusal. */
async function utc(zone: string, cell: string): Promise<string> {
  const codec = codecOf('timestamptz', { timezone: zone });
  const outcome = encode(codec, cell, 'text');
  if (typeof outcome !== 'object' || !('value' in outcome)) return refusal(codec, cell) ?? 'NULL';
  const { rows } = await db.client.query<{ text: string }>(
    `select to_char($1::timestamptz, 'YYYY-MM-DD HH24:MI:SS') as text`,
    [outcome.value.toString()],
  );
  return rows[0]!.text;
}

const ZONES = [
  'Europe/Paris',
  'Europe/London',
  'America/New_York',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Africa/Monrovia',
  'Asia/Manila',
  'America/Juneau',
  'Pacific/Kiritimati',
  'Europe/Dublin',
  'Asia/Tehran',
  'America/St_Johns',
];

/**
 * Clocks in Morocco change with Ramadan, whose dates to come are a forecast until the country gives that up (edition
 * 2026e of the time zones): PostgreSQL and Node hold the same ones only when they come with the same edition.
 */
const isKnown = (zone: string, cell: string): boolean => zone !== 'Africa/Casablanca' || cell < '2026';

/** Local times of all eras, many of them beside the hours at which clocks change. */
const locals = (seed: number): string[] => {
  const at = fc.tuple(
    fc.integer({ min: 1850, max: 2100 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
    fc.nat(23),
    fc.nat(59),
    fc.nat(59),
  );
  const far = fc.tuple(
    fc.integer({ min: 1, max: 9999 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
    fc.nat(23),
    fc.nat(59),
    fc.nat(59),
  );
  const text = ([y, mo, d, h, mi, s]: readonly number[]): string =>
    new Date(Date.UTC(2000, mo! - 1, d, h, mi, s))
      .toISOString()
      .replace(/^2000/, String(y).padStart(4, '0'))
      .slice(0, 19);
  return [...fc.sample(at, { numRuns: 600, seed }), ...fc.sample(far, { numRuns: 40, seed })].map(text);
};

describe('local times', () => {
  test.each(ZONES)(
    'of %s are the instants that PostgreSQL finds, skipped ones refused, repeated ones the earlier',
    async (zone) => {
      // PostgreSQL's own changes of offset (all the old ones, some of the regular ones), and the half hours of the day
      // of each, with the second before
      const { rows: changes } = await db.client.query<{ cell: string }>(
        `with days as (select t, t at time zone $1 as l from generate_series('1880-01-01Z'::timestamptz, '2060-01-01Z', '1 day') t),
            changed as (select t from (select t, (l - (t at time zone 'UTC')) - lag(l - (t at time zone 'UTC')) over (order by t) as jump from days) j where jump <> '0')
       select distinct to_char((t at time zone $1) + n * interval '30 minutes' - s * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS') as cell
       from changed, generate_series(-52, 4) n, generate_series(0, 1) s
       where t < '1920-01-01Z' or extract(year from t)::int % 6 = 1 or t between '2011-01-01Z' and '2012-01-03Z'`,
        [zone],
      );
      const cells = [...changes.map((row) => row.cell), ...locals(zone.length)].filter((cell) => isKnown(zone, cell));
      const { rows } = await db.client.query<{ exists: boolean; instant: string }>(
        `select (x::timestamp at time zone $1) at time zone $1 = x::timestamp as exists,
              (extract(epoch from (x::timestamp at time zone $1) - '2000-01-01Z'::timestamptz)::numeric * 1000000)::bigint as instant
       from unnest($2::text[]) with ordinality u(x, ord) order by ord`,
        [zone, cells],
      );
      const ours = instants(zone, cells);
      const wrong = cells.filter((_, i) => (ours[i] !== null) !== rows[i]!.exists);
      expect(wrong).toEqual([]);
      // In a repeated hour PostgreSQL takes the later instant: ours is then earlier, and means the same clock.
      const differing = cells.flatMap((cell, i) =>
        ours[i] !== null && ours[i] !== BigInt(rows[i]!.instant)
          ? [{ cell, ours: String(ours[i]), theirs: rows[i]!.instant }]
          : [],
      );
      const { rows: back } = await db.client.query<{ same: boolean; earlier: boolean }>(
        `select ('2000-01-01Z'::timestamptz + u.ours * interval '1 microsecond') at time zone $1 = u.x::timestamp as same, u.ours < u.theirs as earlier
       from unnest($2::text[], $3::bigint[], $4::bigint[]) u(x, ours, theirs)`,
        [zone, differing.map((d) => d.cell), differing.map((d) => d.ours), differing.map((d) => d.theirs)],
      );
      expect(differing.filter((_, i) => !back[i]!.same || !back[i]!.earlier)).toEqual([]);
    },
  );

  test('that are skipped in spring are refused to the second', async () => {
    expect(await utc('Europe/Paris', '2024-03-31 01:59:59.999999')).toBe('2024-03-31 00:59:59');
    expect(await utc('Europe/Paris', '2024-03-31 02:00')).toBe('this local time does not exist in Europe/Paris');
    expect(await utc('Europe/Paris', '2024-03-31 02:59:59.999999')).toBe(
      'this local time does not exist in Europe/Paris',
    );
    expect(await utc('Europe/Paris', '2024-03-31 03:00')).toBe('2024-03-31 01:00:00');
    expect(await utc('America/New_York', '2024-03-10 02:30')).toBe(
      'this local time does not exist in America/New_York',
    );
    expect(await utc('Australia/Lord_Howe', '2024-10-06 02:15')).toBe(
      'this local time does not exist in Australia/Lord_Howe',
    );
    expect(await utc('Australia/Lord_Howe', '2024-10-06 02:30')).toBe('2024-10-05 15:30:00');
  });

  test('that are repeated in autumn are the earlier instant', async () => {
    expect(await utc('Europe/Paris', '2024-10-27 01:59:59')).toBe('2024-10-26 23:59:59');
    expect(await utc('Europe/Paris', '2024-10-27 02:00')).toBe('2024-10-27 00:00:00');
    expect(await utc('Europe/Paris', '2024-10-27 02:59:59')).toBe('2024-10-27 00:59:59');
    expect(await utc('Europe/Paris', '2024-10-27 03:00')).toBe('2024-10-27 02:00:00');
    expect(await utc('America/New_York', '2024-11-03 01:30')).toBe('2024-11-03 05:30:00');
    expect(await utc('Australia/Lord_Howe', '2024-04-07 01:45')).toBe('2024-04-06 14:45:00');
  });

  test('of a whole day that a zone skipped are refused', async () => {
    expect(await utc('Pacific/Apia', '2011-12-29 23:59:59')).toBe('2011-12-30 09:59:59');
    expect(await utc('Pacific/Apia', '2011-12-30 00:00')).toBe('this local time does not exist in Pacific/Apia');
    expect(await utc('Pacific/Apia', '2011-12-30 23:59')).toBe('this local time does not exist in Pacific/Apia');
    expect(await utc('Pacific/Apia', '2011-12-31 00:00')).toBe('2011-12-30 10:00:00');
  });

  test('before standard time have the seconds of local mean time', async () => {
    expect(await utc('Europe/Paris', '1850-01-01 00:09:21')).toBe('1850-01-01 00:00:00');
    expect(await utc('America/New_York', '1850-01-01 00:00')).toBe('1850-01-01 04:56:02');
    expect(await utc('Africa/Monrovia', '1960-01-01 00:00')).toBe('1960-01-01 00:44:30');
    expect(await utc('Europe/Paris', '0001-01-02 00:09:21')).toBe('0001-01-02 00:00:00');
  });

  test('with an offset of their own need no zone', async () => {
    expect(await utc('Europe/Paris', '2024-03-31T02:30:00+01:00')).toBe('2024-03-31 01:30:00');
    expect(await utc('Europe/Paris', '2024-03-31T02:30:00Z')).toBe('2024-03-31 02:30:00');
  });
});

describe('instants', () => {
  test.each(ZONES)('as a clock in %s shows them are what PostgreSQL shows', async (zone) => {
    const cells = locals(100 + zone.length)
      .filter((cell) => cell > '0002' && cell < '9998' && isKnown(zone, cell))
      .map((cell) => `${cell}Z`);
    const codec = codecOf('timestamp', { timezone: zone });
    const ours = cells.map((cell) => {
      const outcome = encode(codec, cell, 'text');
      return typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString() : outcome;
    });
    const { rows } = await db.client.query<{ local: string }>(
      `select to_char(x::timestamptz at time zone $1, 'YYYY-MM-DD HH24:MI:SS') as local from unnest($2::text[]) with ordinality u(x, ord) order by ord`,
      [zone, cells],
    );
    expect(ours).toEqual(rows.map((row) => row.local));
  });
});
