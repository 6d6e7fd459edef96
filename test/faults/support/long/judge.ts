import type { Sample } from './sampler.js';

/** One process, from its start to its end. Memory in MiB, times in seconds. */
export interface Life {
  readonly life: number;
  readonly seconds: number;
  /** Long enough to tell whether it is flat. */
  readonly judged: boolean;
  readonly rss: Trend;
  readonly heap: Trend;
  readonly handles: Trend;
  readonly threads: Trend;
  readonly sessions: Trend;
}

export interface Trend {
  /** Medians of the first and the last third after the warm-up. */
  readonly first: number;
  readonly last: number;
  /** Of the line of least squares through what comes after the warm-up. */
  readonly perHour: number;
  readonly peak: number;
}

/** A process warms up: compiled code, worker threads, buffers that are kept. */
const WARM_UP_SECONDS = 120;
const JUDGED_SECONDS = 360;

const round = (value: number): number => Math.round(value * 100) / 100;

/** Each life for itself. */
export function lives(samples: readonly Sample[]): readonly Life[] {
  return [...new Set(samples.map(({ life }) => life))].map((life) => {
    const own = samples.filter((sample) => sample.life === life);
    const began = own[0]?.t ?? 0;
    const seconds = (own.at(-1)?.t ?? 0) - began;
    const judged = seconds >= JUDGED_SECONDS;
    const warm = own.filter(({ t }) => t - began >= (judged ? WARM_UP_SECONDS : seconds / 3));
    const trend = (of: (sample: Sample) => number | null): Trend =>
      trendOf(
        warm.flatMap((sample) => pair(sample.t, of(sample))),
        Math.max(0, ...own.map((sample) => of(sample) ?? 0)),
      );
    return {
      life,
      seconds: Math.round(seconds),
      judged,
      rss: trend((s) => s.rss),
      heap: trend((s) => s.heap),
      handles: trend((s) => s.handles),
      threads: trend((s) => s.threads),
      sessions: trend((s) => s.sessions),
    };
  });
}

const pair = (t: number, value: number | null): readonly (readonly [number, number])[] =>
  value === null ? [] : [[t, value]];

function trendOf(points: readonly (readonly [number, number])[], peak: number): Trend {
  const values = points.map(([, value]) => value);
  const third = Math.ceil(values.length / 3);
  return {
    first: round(median(values.slice(0, third))),
    last: round(median(values.slice(-third))),
    perHour: round(slope(points) * 3_600),
    peak: round(peak),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function slope(points: readonly (readonly [number, number])[]): number {
  const n = points.length;
  if (n < 2) return 0;
  const [mx, my] = [points.reduce((sum, [x]) => sum + x, 0) / n, points.reduce((sum, [, y]) => sum + y, 0) / n];
  const spread = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / spread;
}

/**
 * A tenth, or 24 MiB: a large file more or less in the last third makes that much. A leak of one buffer of 64 KiB a
 * file makes 130 MiB in ten minutes.
 */
const RSS_GROWTH = { ratio: 0.1, mib: 24 };
/** Sockets of the database, SFTP and S3 come and go with the loads. */
const HANDLES_GROWTH = 4;
/** Two loads, the shared session, the one of the locks and a spare; while one is replaced both are seen. */
const SESSIONS_MAX = 8;

/** What is not flat. */
export function growth(all: readonly Life[]): readonly string[] {
  return all.flatMap(({ life, judged, rss, handles, threads, sessions }) => {
    const told: string[] = [];
    if (sessions.peak > SESSIONS_MAX) told.push(`life ${life}: ${sessions.peak} sessions at once`);
    if (!judged) return told;
    if (rss.last > rss.first + Math.max(RSS_GROWTH.mib, rss.first * RSS_GROWTH.ratio))
      told.push(`life ${life}: RSS grew from ${rss.first} to ${rss.last} MiB`);
    if (handles.last > handles.first + HANDLES_GROWTH)
      told.push(`life ${life}: handles grew from ${handles.first} to ${handles.last}`);
    if (threads.last > threads.first + HANDLES_GROWTH)
      told.push(`life ${life}: threads grew from ${threads.first} to ${threads.last}`);
    return told;
  });
}
