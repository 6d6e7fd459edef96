// The 16 typed columns again, with one thing changed: 1 % bad rows, gzip, a primary key, a CHECK, a purged table.
import { compare, psql, shell } from '../compare.mjs';
import { binaryFile, createTable, csvFile, gzipFile, rowsOf } from '../generate.mjs';
import { must } from '../measure.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { loadOne } from '../tallyman.mjs';

export const about =
  '16 typed columns with 1 % bad rows, as gzip, with a primary key, with a CHECK, into a purged table';

const shape = 'typed16';
const { columns } = SHAPES[shape];

export async function run(bench) {
  const rows = rowsOf(bench, shape, 0.5);
  const csv = await csvFile(bench, shape, rows);
  const all = rowsOf(bench, shape, 1);
  const whole = await csvFile(bench, shape, all);
  const parts = [
    await bad(bench, csv, rows),
    await gzip(bench, csv, rows),
    await constrained(bench, whole, all, 'primary key', ', primary key (id)'),
    await constrained(bench, whole, all, 'CHECK', ', check (amount >= 0)'),
    await purged(bench),
  ];
  return {
    title: 'Variants of 16 typed columns',
    tables: parts.map(({ table }) => table),
    claims: parts.flatMap(({ claims }) => claims),
  };
}

const head = (what, rows) => `${what}: ${rows.toLocaleString('en-US')} rows`;

async function bad(bench, csv, rows) {
  const spoilt = await csvFile(bench, shape, rows, 100);
  const { lines, of } = await compare(
    bench,
    {
      clean: { label: 'tallyman, clean file', run: (url) => loadOne(bench, { url, file: csv, columns, rows }) },
      bad: { label: 'tallyman, 1 % bad rows', run: (url) => loadOne(bench, { url, file: spoilt, columns, rows }) },
    },
    { base: 'clean' },
  );
  return {
    table: {
      title: `${head('1 % bad rows', rows)} (of = of the clean file)`,
      lines: lines.filter((line) => line.label.endsWith('commit')),
    },
    claims: [
      claim('1 % bad rows: claim to commit of the clean file', of('bad', 'commit', 'clean', 'commit'), { aim: 1.1 }),
    ],
  };
}

async function gzip(bench, csv, rows) {
  const file = await gzipFile(bench, csv);
  const { lines, of } = await compare(
    bench,
    {
      psql: {
        label: 'gunzip -c | psql \\copy',
        ddl: createTable(shape, false),
        run: (url) =>
          shell(bench, `gunzip -c "$2" | psql "$1" -v ON_ERROR_STOP=1 -qc '\\copy t from stdin csv header'`, url, file),
      },
      tallyman: { label: 'tallyman run --once', run: (url) => loadOne(bench, { url, file, columns, rows }) },
    },
    { base: 'psql' },
  );
  return {
    table: { title: head('gzip', rows), lines },
    claims: [
      claim('gzip: claim to commit of `gunzip -c | psql \\copy`', of('tallyman', 'commit', 'psql'), { aim: 0.8 }),
    ],
  };
}

async function constrained(bench, csv, rows, what, more) {
  const binary = await binaryFile(bench, shape, csv);
  const lineage = createTable(shape, true, more).replace(
    'create table t',
    'create schema staging; create table staging.t',
  );
  const { lines, of } = await compare(
    bench,
    {
      psql: {
        label: `psql \\copy, ${what}`,
        ddl: createTable(shape, false, more),
        run: (url) => psql(bench, url, `\\copy t from '${csv}' csv header`),
      },
      floor: {
        label: `binary, ${what} (the floor)`,
        ddl: createTable(shape, true, more),
        run: (url) => psql(bench, url, `\\copy t from '${binary}' binary`),
      },
      tallyman: {
        label: `tallyman, ${what}`,
        ddl: lineage,
        run: (url) => loadOne(bench, { url, file: csv, columns, rows }),
      },
    },
    { base: 'psql', floor: 'floor' },
  );
  return {
    table: { title: head(`${what} on both sides`, rows), lines },
    claims: [
      claim(`${what}: claim to commit of the floor with the same ${what}`, of('tallyman', 'commit', 'floor'), {
        aim: 1.2,
      }),
    ],
  };
}

/**
 * Rows of earlier loads were deleted and vacuumed, all but the last hundredth (else VACUUM would cut the file off): the
 * new rows land on old pages, where the count at the end of the table does not find them.
 */
async function purged(bench) {
  const rows = rowsOf(bench, shape, 0.25);
  const csv = await csvFile(bench, shape, rows);
  const binary = await binaryFile(bench, shape, csv);
  const template = await freshDatabase(bench.server.url, 'bench_purged');
  await query(
    template,
    `create schema staging; ${createTable(shape, true).replace('create table t', 'create table staging.t')}`,
  );
  await must('psql', [template, '-qc', `\\copy staging.t from '${binary}' binary`]);
  await query(template, `delete from staging.t where id <= ${Math.floor(rows * 0.99)}`);
  // No load's number: the first load of this database will be 1, as the rows of the binary file are.
  await query(template, 'update staging.t set _load_id = 0');
  await query(template, 'vacuum staging.t');
  const ours = (url) => loadOne(bench, { url, file: csv, columns, rows });
  const floor = (url) => psql(bench, url, `\\copy staging.t from '${binary}' binary`);
  const ddl = createTable(shape, true).replace('create table t', 'create schema staging; create table staging.t');
  const { lines, of } = await compare(
    bench,
    {
      floor: { label: 'the floor, fresh table', ddl, run: floor },
      floor_purged: { label: 'the floor, purged table', template: 'bench_purged', run: floor },
      fresh: { label: 'tallyman, fresh table', ddl, run: ours },
      purged: { label: 'tallyman, purged table', template: 'bench_purged', run: ours },
    },
    { base: 'floor', floor: 'floor_purged' },
  );
  await query(bench.server.url, 'drop database bench_purged with (force)');
  return {
    table: {
      title: `${head('purged table', rows)} (of psql = of the floor, fresh; of floor = of the floor, purged)`,
      lines,
    },
    claims: [
      claim('purged table: claim to commit of the fresh table', of('purged', 'commit', 'fresh', 'commit')),
      claim('purged table: claim to commit of the floor into a purged table', of('purged', 'commit', 'floor_purged')),
    ],
  };
}
