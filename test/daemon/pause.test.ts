import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import { Pause } from '../../src/daemon/pause.js';

const unreachable = (path: string): TallymanError => new TallymanError('SOURCE_UNREACHABLE', `${path}: away`);

describe('a pause', () => {
  test('of which many files tell at once is told once, and is no longer for it', () => {
    const pause = new Pause(1_000, 60_000);
    expect(Array.from({ length: 20 }, (_, i) => pause.begin(unreachable(`f${i}`)))).toEqual([
      true,
      ...Array.from({ length: 19 }, () => false),
    ]);
    expect([pause.failures, pause.leftMs <= 1_000]).toEqual([1, true]);
  });

  test('tells another kind of trouble while it lasts', () => {
    const pause = new Pause(1_000, 60_000);
    pause.begin(unreachable('a'));
    expect(pause.begin(new TallymanError('LANDING_FULL', 'full'))).toBe(true);
  });

  test('grows when the next try fails too, and the same reason is no news', async () => {
    const pause = new Pause(1, 60_000);
    pause.begin(unreachable('a'));
    await sleep(5);
    expect([pause.begin(unreachable('a')), pause.failures]).toEqual([false, 2]);
  });

  test('ends once', () => {
    const pause = new Pause(1_000, 60_000);
    pause.begin(unreachable('a'));
    expect([pause.end(), pause.end(), pause.leftMs]).toEqual([true, false, 0]);
  });
});
