// Contestants in alternation, and the table that shows them. Each runs against a database that is fresh, after a
// checkpoint, so that none pays for the writes of the one before.
import { freshDatabase, query } from './server.mjs';
import { must } from './measure.mjs';
import { alternate, ratio, spread } from './statistics.mjs';

/**
 * contestants: { name: { label, run(url), ddl?, template? } }. `run` gives { seconds, client?, server?, peak?, commit?
 * }; `commit` (claim to commit) makes a line of its own. Returns { series, lines, of(a, metricA, b, metricB) }.
 */
export async function compare(bench, contestants, { base, floor = null, rounds = bench.rounds }) {
  const runs = Object.fromEntries(
    Object.entries(contestants).map(([name, { run, ddl = null, template = null }]) => [
      name,
      async () => {
        const url = await freshDatabase(bench.server.url, `bench_run_${name}`, template);
        try {
          if (ddl !== null) await query(url, ddl);
          await query(url, 'checkpoint');
          return await run(url);
        } finally {
          await query(bench.server.url, `drop database bench_run_${name} with (force)`);
        }
      },
    ]),
  );
  const series = await alternate(rounds, runs, (name, round, { seconds }) =>
    bench.log(`${round === 0 ? 'warm-up' : `round ${round}`} ${name} ${seconds.toFixed(2)} s`),
  );
  const of = (a, metricA, b, metricB = 'seconds') => ratio(series[a][metricA], series[b][metricB]);
  const lines = Object.entries(contestants).flatMap(([name, { label }]) => {
    const line = (text, metric) => ({
      label: text,
      seconds: spread(series[name][metric]),
      ofBase: of(name, metric, base),
      ofFloor: floor === null ? null : of(name, metric, floor),
      client: metric === 'seconds' ? optional(series[name].client) : null,
      server: metric === 'seconds' ? optional(series[name].server) : null,
      peak: metric === 'seconds' ? optional(series[name].peak) : null,
    });
    return [
      ...(series[name].commit === undefined ? [] : [line(`${label}, claim to commit`, 'commit')]),
      line(series[name].commit === undefined ? label : `${label}, whole process`, 'seconds'),
    ];
  });
  return { series, lines, of };
}

const optional = (values) => (values === undefined || values.length === 0 ? null : spread(values));

/** A measured psql. */
export async function psql(bench, url, command) {
  const { seconds, client, server, peak } = await must('psql', [url, '-v', 'ON_ERROR_STOP=1', '-qc', command], {
    server: bench.server,
  });
  return { seconds, client, server, peak };
}

/** A measured shell line; $1 is the URL. Any part of a pipe that fails fails the line. */
export async function shell(bench, line, ...args) {
  const { seconds, client, server, peak } = await must('bash', ['-o', 'pipefail', '-c', line, 'bash', ...args], {
    server: bench.server,
  });
  return { seconds, client, server, peak };
}
