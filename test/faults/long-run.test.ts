import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { connect } from '../support/postgres.js';
import { chance, SEED } from './support/chance.js';
import { tell } from './support/counts.js';
import { Arrivals } from './support/long/arrivals.js';
import { draw } from './support/long/draw.js';
import { KILL, makeFaults, planOf, type Mark } from './support/long/faults.js';
import { growth, lives, median } from './support/long/judge.js';
import { startSampler, type Sample } from './support/long/sampler.js';
import { openScene, type LongScene } from './support/long/scene.js';
import { audit, type Audit } from './support/oracle.js';
import { FULL } from './support/report.js';

/** test/faults/long-run.mjs asks for 30. */
const MINUTES = Number(process.env['TALLYMAN_LONG_RUN_MINUTES'] ?? (FULL ? '30' : '0.15'));
/** Where graph, numbers, samples and log go; nowhere when unset. */
const OUT = process.env['TALLYMAN_LONG_RUN_OUT'];
const MEAN_GAP_MS = 500;

describe('long run of mixed arrivals with faults at random', () => {
  test(
    `${MINUTES} minutes: nothing lost, nothing doubled, memory, handles and sessions flat`,
    { timeout: MINUTES * 60_000 * 1.5 + 600_000 },
    async () => {
      const luck = chance(SEED);
      const scene = await openScene(luck);
      let kept = false;
      try {
        const arrivals = await Arrivals.open(scene.dir, scene.sshd, scene.s3, luck);
        const plan = planOf(MINUTES);
        const marks: Mark[] = [];
        await scene.sail();
        const sampled = startSampler(scene.dataDir, scene.server.admin, scene.probe, scene.httpPort, () =>
          scene.daemon(),
        );
        await Promise.all([bring(arrivals, plan.seconds, sampled.now), makeFaults(scene, plan, sampled.now, marks)]);
        const arrived = sampled.now();
        const moving = await quiet(scene, arrivals, 60 + MINUTES * 10);
        const quietAfter = sampled.now() - arrived;
        await sampled.stop();
        expect((await scene.land()).code).toBe(0);
        const client = await connect(scene.server.admin);
        const found = await audit(scene.ws, client, arrivals.expected()).finally(() => client.end());
        const told = summary(arrivals, sampled.samples, marks, found, quietAfter);
        keep(scene, told, sampled.samples, marks, plan.seconds);
        kept = true;
        tell('Long run', `${MINUTES} minutes of mixed arrivals, faults at random`, marks.length, {
          files: found.files,
          rows: found.rows,
        });
        const stuck = sampled.samples
          .filter((sample) => (sample.stuck ?? 0) > 0)
          .map(({ t }) => `a session idle in a transaction for more than 30 s at ${Math.round(t)} s`);
        expect([
          ...moving,
          ...found.problems,
          ...(await arrivals.left()).map((name) => `${name} stands where it came`),
          ...stuck,
          ...growth(told.lives),
        ]).toEqual([]);
      } catch (error) {
        if (!kept) keepLog(scene);
        throw error;
      } finally {
        await scene.close();
      }
    },
  );
});

/** Gaps of half a second on average, as independent senders leave them. */
async function bring(arrivals: Arrivals, seconds: number, now: () => number): Promise<void> {
  const luck = chance(SEED + 1);
  while (now() < seconds) {
    await arrivals.arrive();
    await sleep(-Math.log(1 - luck.next()) * MEAN_GAP_MS);
  }
}

/**
 * Until every content that must be live is, nothing is on its way and no after action is left to be done. Returns what
 * did not come about in time: the rest is reported all the same.
 */
async function quiet(scene: LongScene, arrivals: Arrivals, seconds: number): Promise<readonly string[]> {
  const missing = async (): Promise<readonly string[]> => {
    // On a busy machine nine seconds of faults may be over before the first load.
    const [begun] = await scene.server.query(`select pg_catalog.to_regclass('tallyman.loads') is not null as it`);
    const rows =
      begun?.['it'] === true
        ? await scene.server.query(`select feed, file_sha256 as sha from tallyman.loads where status = 'loaded'`)
        : [];
    const live = new Set(rows.map((row) => `${String(row['feed'])} ${String(row['sha'])}`));
    const lacking = [...arrivals.wanted()].flatMap(([feed, contents]) =>
      [...contents].filter((sha) => !live.has(`${feed} ${sha}`)).map((sha) => `${feed} ${sha}`),
    );
    if (lacking.length > 0) return lacking;
    const moving = ['discovered', 'landing', 'landed', 'loading'];
    const states = await Promise.all(
      moving.map(
        async (state) =>
          ((await scene.ws.json('files', '--state', state, '--limit', '0')) as { items: readonly unknown[] }).items
            .length,
      ),
    );
    return states.some((n) => n > 0) ? [`${states.join('/')} files ${moving.join('/')}`] : await arrivals.left();
  };
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const last = await missing();
    if (last.length === 0) return [];
    if (performance.now() > end) return last.slice(0, 20).map((what) => `not quiet after ${seconds} s: ${what}`);
    await sleep(1_000);
  }
}

function summary(
  arrivals: Arrivals,
  samples: readonly Sample[],
  marks: readonly Mark[],
  found: Audit,
  quietAfter: number,
) {
  const faults = Object.fromEntries(
    [...new Set(marks.map(({ fault }) => fault))]
      .sort()
      .map((fault) => [fault, marks.filter((mark) => mark.fault === fault).length]),
  );
  const highest = (of: (sample: Sample) => number | null): number =>
    Math.max(0, ...samples.map((sample) => of(sample) ?? 0));
  return {
    minutes: MINUTES,
    seed: SEED,
    arrived: arrivals.files,
    entries: found.files,
    loads: found.loads,
    rows: found.rows,
    lost: found.lost,
    doubled: found.doubled,
    problems: found.problems,
    faults,
    fault_count: marks.length,
    kills: marks.filter(({ fault }) => fault === KILL).length,
    samples: samples.length,
    quiet_after_seconds: Math.round(quietAfter),
    lag_ms: {
      median_of_p99: Math.round(median(samples.map(({ lag }) => lag))),
      longest: Math.round(highest(({ lagMax }) => lagMax)),
    },
    cpu: {
      mean: Math.round((samples.reduce((sum, { cpu }) => sum + cpu, 0) / Math.max(1, samples.length)) * 100) / 100,
    },
    ledger_mib: Math.round(highest(({ ledger }) => ledger) * 10) / 10,
    most_waiting: highest(({ waiting }) => waiting),
    sessions_idle_in_transaction_over_30_s: highest(({ stuck }) => stuck),
    lives: lives(samples),
  };
}

function keep(
  scene: LongScene,
  told: ReturnType<typeof summary>,
  samples: readonly Sample[],
  marks: readonly Mark[],
  seconds: number,
): void {
  if (OUT === undefined) return;
  const { minutes, arrived, rows, fault_count: faults, kills, lost, doubled } = told;
  const title = `${minutes} minutes of mixed arrivals, ${faults} faults at random`;
  const subtitle = `${arrived.toLocaleString('en')} files, ${rows.toLocaleString('en')} rows live at the end, ${lost} lost, ${doubled} doubled. ${kills} of the faults are SIGKILL (red): the lines begin anew there.`;
  mkdirSync(OUT, { recursive: true });
  writeFileSync(path.join(OUT, 'long-run.svg'), draw(title, subtitle, samples, marks, seconds));
  writeFileSync(path.join(OUT, 'long-run.json'), `${JSON.stringify(told, null, 2)}\n`);
  writeFileSync(path.join(OUT, 'long-run-samples.json'), JSON.stringify({ samples, marks }));
  keepLog(scene);
}

function keepLog(scene: LongScene): void {
  if (OUT === undefined) return;
  mkdirSync(OUT, { recursive: true });
  writeFileSync(path.join(OUT, 'long-run.log'), scene.log());
}
