// The shapes of data that every claim is measured on. Deterministic: the same seed gives the same bytes.

/** xorshift32: fast, seeded, good enough for test data. */
export function prng(seed) {
  let x = seed | 0 || 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

const p2 = (n) => (n < 10 ? `0${n}` : `${n}`);
const hex = (n, w) => n.toString(16).padStart(w, '0');
const WORDS = [
  'quay',
  'cargo',
  'manifest',
  'tally',
  'harbour',
  'crane',
  'pallet',
  'stevedore',
  'ledger',
  'invoice',
  'north',
  'basin',
];

const date = (r) => `20${p2(10 + r(16))}-${p2(1 + r(12))}-${p2(1 + r(28))}`;
const time = (r) => `${p2(r(24))}:${p2(r(60))}:${p2(r(60))}`;

/**
 * name -> { columns: [name, type][], row(i, random) -> CSV line without newline, share: of the rows asked for, so that
 * all shapes come to like sizes }
 */
export const SHAPES = {
  typed16: {
    share: 1,
    columns: [
      ['id', 'bigint'],
      ['order_no', 'integer'],
      ['customer', 'text'],
      ['code', 'text'],
      ['amount', 'numeric(12,2)'],
      ['price', 'double precision'],
      ['qty', 'smallint'],
      ['active', 'boolean'],
      ['created', 'date'],
      ['ordered_at', 'timestamp'],
      ['shipped_at', 'timestamptz'],
      ['ref', 'uuid'],
      ['country', 'varchar(2)'],
      ['note', 'text'],
      ['score', 'real'],
      ['balance', 'numeric(18,4)'],
    ],
    row(i, r) {
      const w = WORDS[r(12)];
      const note = r(8) === 0 ? `"${w}, ""${WORDS[r(12)]}"""` : w;
      return `${i + 1},${r(2147483647)},Cust ${r(10000)},K${r(10000)},${r(9999999)}.${p2(r(100))},${r(100000)}.${r(1000)},${r(30000)},${r(2) ? 't' : 'f'},${date(r)},${date(r)} ${time(r)},${date(r)}T${time(r)}Z,${hex(r(0xffffffff), 8)}-${hex(r(65536), 4)}-4${hex(r(4096), 3)}-8${hex(r(4096), 3)}-${hex(r(0xffffff), 6)}${hex(r(0xffffff), 6)},${'DEFRUKUS'.slice(r(4) * 2).slice(0, 2)},${note},${r(1000)}.${r(10)},${r(99999)}.${hex(r(10000), 1).replace(/[a-f]/g, '7').padStart(4, '0').slice(0, 4)}`;
    },
  },
  narrow4: {
    share: 1,
    columns: [
      ['id', 'bigint'],
      ['sensor', 'integer'],
      ['at', 'timestamptz'],
      ['value', 'double precision'],
    ],
    row: (i, r) => `${i + 1},${r(5000)},${date(r)}T${time(r)}Z,${r(1000)}.${r(1000)}`,
  },
  wide200: {
    share: 0.1,
    columns: Array.from({ length: 200 }, (_, c) => [`c${c + 1}`, ['integer', 'text', 'numeric(10,2)', 'date'][c % 4]]),
    row: (i, r) =>
      Array.from(
        { length: 200 },
        (_, c) => [r(1000000), WORDS[r(12)], `${r(99999)}.${p2(r(100))}`, date(r)][c % 4],
      ).join(','),
  },
  texts: {
    share: 0.15,
    columns: [
      ['id', 'bigint'],
      ['title', 'text'],
      ['body', 'text'],
    ],
    row(i, r) {
      const body = Array.from({ length: 40 + r(60) }, () => WORDS[r(12)]).join(' ');
      return `${i + 1},"${WORDS[r(12)]}, ${WORDS[r(12)]}","${body}\n""${WORDS[r(12)]}"", ${body}"`;
    },
  },
};
