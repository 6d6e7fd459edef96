import { describe, expect, test } from 'vitest';
import { draw } from './support/long/draw.js';
import { KILL } from './support/long/faults.js';
import { growth, lives } from './support/long/judge.js';
import type { Sample } from './support/long/sampler.js';

/** Every two seconds of one process; `of` changes the sample at `t` seconds. */
function life(seconds: number, of: (t: number) => Partial<Sample> = () => ({}), number = 1, from = 0): Sample[] {
  return Array.from({ length: seconds / 2 }, (_, i) => {
    const t = i * 2;
    // A saw of 30 MiB, as large files make it.
    return {
      t: from + t,
      life: number,
      rss: 200 + (t % 60) / 2,
      heap: 40,
      external: 5,
      handles: 45 + (i % 3),
      threads: 13,
      cpu: 0.2,
      sessions: 3,
      inTransaction: 1,
      stuck: 0,
      lag: 10,
      lagMax: 30,
      done: i,
      waiting: 2,
      ledger: 1,
      ...of(t),
    };
  });
}

describe('the judge of the long run', () => {
  test('what goes up and down is flat', () => {
    expect(growth(lives(life(720)))).toEqual([]);
  });

  test('one MiB every ten seconds is told, with both medians', () => {
    expect(growth(lives(life(720, (t) => ({ rss: 200 + t / 10 }))))).toEqual(['life 1: RSS grew from 222 to 262 MiB']);
  });

  test('a handle a minute is told', () => {
    expect(growth(lives(life(720, (t) => ({ handles: 45 + Math.floor(t / 60) }))))).toEqual([
      'life 1: handles grew from 48 to 55',
    ]);
  });

  test('growth while it warms up is none', () => {
    expect(growth(lives(life(720, (t) => ({ rss: 100 + Math.min(t, 110), handles: 20 + Math.min(t, 110) }))))).toEqual(
      [],
    );
  });

  test('each process is judged for itself, and a short one not at all', () => {
    const all = [
      ...life(720),
      ...life(60, (t) => ({ rss: 400 + t }), 2, 720),
      ...life(720, () => ({ rss: 300 }), 3, 780),
    ];
    expect(growth(lives(all))).toEqual([]);
    expect(lives(all).map(({ judged }) => judged)).toEqual([true, false, true]);
  });

  test('too many sessions are told of a short life too', () => {
    expect(growth(lives(life(60, () => ({ sessions: 9 }))))).toEqual(['life 1: 9 sessions at once']);
  });

  test('slopes are by the hour, moments without an answer are left out', () => {
    const [only] = lives(life(720, (t) => ({ rss: 200 + t / 36, sessions: t % 10 === 0 ? null : 3 })));
    expect(only?.rss.perHour).toBeCloseTo(100, 1);
    expect(only?.sessions).toEqual({ first: 3, last: 3, perHour: 0, peak: 3 });
  });
});

describe('the graph of the long run', () => {
  test('a line begins anew after a kill and after a moment without an answer', () => {
    const samples = [...life(20, (t) => ({ sessions: t === 10 ? null : 3 })), ...life(20, () => ({}), 2, 22)];
    const svg = draw('A & B', '', samples, [{ t: 21, fault: KILL }], 42);
    const curves = [...svg.matchAll(/<path d="([^"]*)"/g)].map(([, d = '']) => d.split('M').length - 1);
    // RSS, heap, handles, threads; both of the sessions, of which one was not to be had once; lag twice, done, waiting.
    expect(curves).toEqual([2, 2, 2, 2, 3, 2, 2, 2, 2, 2]);
    expect(svg).toContain('A &amp; B');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});
