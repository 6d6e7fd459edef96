import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeenFile } from '../../src/core/file.js';
import { Settle } from '../../src/intake/settle.js';

const file = (path: string, size = 1, version = 'v1'): SeenFile => ({ path, size, mtimeUs: null, version });

/** A Settle of 5 s on a clock that is set by hand. */
function settleOf(settleMs = 5_000, limit?: number): { settle: Settle; at: (ms: number) => void } {
  let now = 1_000_000;
  const settle = new Settle(settleMs, () => now, limit);
  return { settle, at: (ms) => (now = 1_000_000 + ms) };
}

describe('settling', () => {
  test('a file is settled when it was seen unchanged for the settle time', () => {
    const { settle, at } = settleOf();
    expect(settle.observe(file('a'))).toEqual({ settled: false, waitedMs: 0 });
    at(4_999);
    expect(settle.observe(file('a')).settled).toBe(false);
    at(5_000);
    expect(settle.observe(file('a'))).toEqual({ settled: true, waitedMs: 5_000 });
  });

  test('another size or version starts anew, and the wait counts from the first look', () => {
    for (const changed of [file('a', 2), file('a', 1, 'v2')]) {
      const { settle, at } = settleOf();
      settle.observe(file('a'));
      at(4_000);
      expect(settle.observe(changed).settled).toBe(false);
      at(8_999);
      expect(settle.observe(changed).settled).toBe(false);
      at(9_000);
      expect(settle.observe(changed)).toEqual({ settled: true, waitedMs: 9_000 });
    }
  });

  test('a file that goes back to an earlier look has changed, too', () => {
    const { settle, at } = settleOf();
    settle.observe(file('a', 1));
    at(3_000);
    settle.observe(file('a', 2));
    at(4_000);
    settle.observe(file('a', 1));
    at(8_999);
    expect(settle.observe(file('a', 1)).settled).toBe(false);
  });

  test('settle 0 settles at the first look and follows nothing', () => {
    const { settle } = settleOf(0);
    expect(settle.observe(file('a'))).toEqual({ settled: true, waitedMs: 0 });
    expect(settle.size).toBe(0);
    expect(settle.dueIn()).toBeNull();
  });

  test('an old mtime settles nothing: only our own looks count', () => {
    const { settle } = settleOf();
    expect(settle.observe({ ...file('a'), mtimeUs: Date.UTC(2020, 0, 1) * 1_000 }).settled).toBe(false);
  });

  test('a settled file that changes before it is taken is not settled any more', () => {
    const { settle, at } = settleOf();
    settle.observe(file('a'));
    at(6_000);
    expect(settle.observe(file('a')).settled).toBe(true);
    expect(settle.observe(file('a', 2)).settled).toBe(false);
  });
});

describe('when to look again', () => {
  test('dueIn counts down to the earliest path', () => {
    const { settle, at } = settleOf();
    expect(settle.dueIn()).toBeNull();
    settle.observe(file('a'));
    at(2_000);
    settle.observe(file('b'));
    expect(settle.dueIn()).toBe(3_000);
    at(5_500);
    expect(settle.dueIn()).toBe(0);
  });

  test('due gives the paths whose time has run out, each once in a settle time', () => {
    const { settle, at } = settleOf();
    settle.observe(file('a'));
    at(2_000);
    settle.observe(file('b'));
    at(5_000);
    expect(settle.due()).toEqual(['a']);
    expect(settle.due()).toEqual([]);
    expect(settle.dueIn()).toBe(2_000);
    at(10_000);
    expect(settle.due()).toEqual(['b', 'a']);
  });

  test('due gives no more at once than asked for', () => {
    const { settle, at } = settleOf();
    for (let i = 0; i < 10; i++) settle.observe(file(`f${i}`));
    at(5_000);
    expect(settle.due(4)).toEqual(['f0', 'f1', 'f2', 'f3']);
    expect(settle.dueIn()).toBe(0);
    expect(settle.due(100)).toHaveLength(6);
  });

  test('a forgotten path is due no more and starts anew when it comes back', () => {
    const { settle, at } = settleOf();
    settle.observe(file('a'));
    at(5_000);
    settle.forget('a');
    expect(settle.size).toBe(0);
    expect(settle.due()).toEqual([]);
    expect(settle.observe(file('a')).settled).toBe(false);
  });

  test('retain forgets what a listing no longer shows', () => {
    const { settle } = settleOf();
    for (const path of ['a', 'b', 'c']) settle.observe(file(path));
    settle.retain((path) => path === 'b');
    expect(settle.size).toBe(1);
  });
});

test('a sweep forgets what was not looked at since the mark', () => {
  const { settle, at } = settleOf();
  for (const path of ['a', 'b', 'c']) settle.observe(file(path));
  const mark = settle.mark();
  at(3_000);
  settle.observe(file('b'));
  settle.observe(file('d'));
  settle.sweep(mark);
  at(9_000);
  expect(settle.due()).toEqual(['b', 'd']);
});

describe('memory', () => {
  test('paths past the limit are not followed, and the overflow is told once', () => {
    const { settle, at } = settleOf(5_000, 2);
    for (const path of ['a', 'b', 'c']) settle.observe(file(path));
    expect(settle.size).toBe(2);
    expect(settle.takeOverflow()).toBe(true);
    expect(settle.takeOverflow()).toBe(false);
    at(9_000);
    expect(settle.observe(file('c')).settled).toBe(false);
  });

  test('a path that did not fit is followed as soon as there is room', () => {
    const { settle, at } = settleOf(5_000, 1);
    settle.observe(file('a'));
    settle.observe(file('b'));
    settle.forget('a');
    settle.observe(file('b'));
    at(5_000);
    expect(settle.observe(file('b')).settled).toBe(true);
  });
});

test('a path is settled exactly when its last look of another kind is the settle time away', () => {
  const looks = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 4_000 }), size: fc.integer({ min: 1, max: 3 }) }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(looks, (steps) => {
      const { settle, at } = settleOf();
      let now = 0;
      let since = 0;
      let last: number | null = null;
      return steps.every(({ after, size }) => {
        at((now += after));
        if (size !== last) since = now;
        last = size;
        return settle.observe(file('a', size)).settled === now - since >= 5_000;
      });
    }),
  );
});
