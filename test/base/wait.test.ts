import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { wait, Wakeable } from '../../src/base/wait.js';

/** Longer than a test may take. */
const LONG = 600_000;
const never = new AbortController().signal;

/** Milliseconds that it took. */
async function timed(work: Promise<void>): Promise<number> {
  const started = performance.now();
  await work;
  return performance.now() - started;
}

/** True when it has not resolved after some turns of the event loop. */
async function isPending(work: Promise<void>): Promise<boolean> {
  const turns = async (): Promise<'pending'> => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    return 'pending';
  };
  return (await Promise.race([work, turns()])) === 'pending';
}

afterEach(() => vi.useRealTimers());

describe('wait', () => {
  test('as long as it was told', async () => {
    // A timer may fire within the millisecond before.
    expect(await timed(wait(30, never))).toBeGreaterThanOrEqual(29);
  });

  test('not at all when the signal has come before', async () => {
    expect(await isPending(wait(LONG, AbortSignal.abort()))).toBe(false);
  });

  test('no longer than until the signal, whatever its reason', async () => {
    const stop = new AbortController();
    const waiting = wait(LONG, stop.signal);
    expect(await isPending(waiting)).toBe(true);
    stop.abort(new Error('stopped'));
    await expect(waiting).resolves.toBeUndefined();
  });

  test('a signal that comes after changes nothing, and nobody listens to it any more', async () => {
    const stop = new AbortController();
    await wait(1, stop.signal);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    stop.abort();
  });

  test('longer than a timer can be told is long, not 1 ms', async () => {
    const stop = new AbortController();
    const waiting = wait(Infinity, stop.signal);
    const pending = await Promise.race([waiting, wait(20, never).then(() => 'pending')]);
    expect(pending).toBe('pending');
    stop.abort();
    await waiting;
  });
});

describe('a wait that can be ended', () => {
  test('a wake ends it, and leaves neither timer nor listener behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const bell = new Wakeable();
    const waiting = bell.wait(LONG, never);
    expect(vi.getTimerCount()).toBe(1);
    bell.wake();
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(never, 'abort')).toEqual([]);
  });

  test('a wake that came before is kept for one wait', async () => {
    const bell = new Wakeable();
    bell.wake();
    bell.wake();
    expect(bell.woken).toBe(true);
    expect(await isPending(bell.wait(LONG))).toBe(false);
    expect(bell.woken).toBe(false);
    const waiting = bell.wait(LONG);
    expect(await isPending(waiting)).toBe(true);
    bell.wake();
    await waiting;
  });

  test('a wake before the reset does not count', async () => {
    const bell = new Wakeable();
    bell.wake();
    bell.reset();
    const waiting = bell.wait(LONG);
    expect(await isPending(waiting)).toBe(true);
    bell.wake();
    await waiting;
  });

  test('it ends by itself, and no later than with the signal, before or during', async () => {
    const bell = new Wakeable();
    expect(await timed(bell.wait(30))).toBeGreaterThanOrEqual(29);
    expect(await isPending(bell.wait(0))).toBe(false);
    expect(await isPending(bell.wait(LONG, AbortSignal.abort()))).toBe(false);
    const stop = new AbortController();
    const waiting = bell.wait(LONG, stop.signal);
    expect(await isPending(waiting)).toBe(true);
    stop.abort();
    await waiting;
    expect(bell.woken).toBe(false);
  });

  test('longer than a timer can be told is long, not 1 ms', async () => {
    const bell = new Wakeable();
    const waiting = bell.wait(Infinity);
    const pending = await Promise.race([waiting, wait(20, never).then(() => 'pending')]);
    expect(pending).toBe('pending');
    bell.wake();
    await waiting;
  });
});
