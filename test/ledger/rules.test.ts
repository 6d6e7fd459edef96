import { describe, expect, it } from 'vitest';
import type { FileEntry } from '../../src/core/entry.js';
import type { EndOfFile } from '../../src/core/ledger/queue.js';
import { NO_ROWS } from '../../src/core/report.js';
import { END_STATES, OPEN_STATES, type FileState } from '../../src/core/states.js';
import { absorbRefused, planArrival } from '../../src/ledger/rules/arrival.js';
import { backToEnd, takeAgain, type Before, type Change } from '../../src/ledger/rules/changes.js';
import {
  planBadSuperseded,
  planOlderSnapshot,
  planReopened,
  planSuperseded,
} from '../../src/ledger/rules/consequences.js';
import { planEnd, type EndFacts } from '../../src/ledger/rules/end.js';
import { planTransition } from '../../src/ledger/rules/transition.js';

/** The rules of the ledger without a ledger: what they are told, and what they decide. */

const NOW = '2026-11-21T06:00:00.000Z';
const EARLIER = '2026-11-20T06:00:00.000Z';
const FILE = { path: 'a.csv', size: 100, mtimeUs: 1_000, version: 'v' };

const entry = (change: Partial<FileEntry> = {}): FileEntry => ({
  fileId: 7,
  feed: 'orders',
  file: FILE,
  uri: 'file:///drop/a.csv',
  sha256: null,
  state: 'discovered',
  attempts: 0,
  generation: 1,
  loadId: null,
  liveLoadId: null,
  loadKey: null,
  duplicateOf: null,
  replaces: [],
  released: false,
  duplicateAllowed: false,
  afterAction: true,
  movedTo: null,
  arrivedUs: null,
  deleted: false,
  landedPath: null,
  owner: null,
  lease: null,
  marker: null,
  waitFor: null,
  before: null,
  rows: NO_ROWS,
  error: null,
  discoveredAt: EARLIER,
  finishedAt: null,
  retryAt: null,
  deaths: { chunk: -1, count: 0 },
  ...change,
});

const LOADED: Partial<FileEntry> = { state: 'loaded', loadId: 40, liveLoadId: 40, finishedAt: EARLIER };
const WAS: Before = { state: 'rejected', generation: 1, attempts: 2, finishedAt: EARLIER, error: null };

/** Each change in a few words: what it does, or from which state to which. */
const shown = (changes: readonly Change[]): string[] =>
  changes.map((change) => (change.kind === 'state' ? `${change.from} -> ${change.to}` : change.kind));

const fieldsOf = (changes: readonly Change[]): object =>
  Object.assign({}, ...changes.map((change) => (change.kind === 'set' ? change.fields : {}))) as object;

describe('planArrival', () => {
  const same = FILE;
  const other = { ...FILE, size: 300, version: 'w' };
  const renewed = ['set', 'free-waiting', 'discovered -> discovered'];
  it.each<[string, FileEntry | null, typeof FILE, boolean, readonly string[]]>([
    ['a path that was never met enters', null, same, false, []],
    ['one that stands as it was seen is known', entry(LOADED), same, true, []],
    ['while it lands it is looked at later', entry({ state: 'landing' }), other, true, []],
    ['while it is loaded it is looked at later', entry({ state: 'loading' }), other, true, []],
    ['beside what has landed another version enters', entry({ state: 'landed' }), other, false, []],
    ['beside what has ended another version enters', entry(LOADED), other, false, []],
    ['what vanished and is there again enters', entry({ state: 'vanished' }), same, false, []],
    ['what was cleared and is there again enters', entry({ state: 'cleared' }), same, false, []],
    ['what we deleted and is there again enters', entry({ ...LOADED, deleted: true }), same, false, []],
    ['what we moved away and is there again enters', entry({ ...LOADED, movedTo: other }), same, false, []],
    ['overwritten before it was read: it goes on with the new bytes', entry(), other, true, renewed],
    ['reserved for another worker: who came last works on it', entry({ owner: 'load-1' }), same, true, ['set']],
    [
      'taken again and overwritten: back to its end, and the new version enters',
      entry({ before: 'rejected' }),
      other,
      false,
      ['set', 'discovered -> rejected'],
    ],
  ])('%s', (_, newest, file, known, changes) => {
    const arrival = { feed: 'orders', file, uri: 'file:///drop/a.csv', settleSeconds: 5 };
    const plan = planArrival(newest, newest?.before === 'rejected' ? WAS : null, arrival);
    expect({ known: plan.known, changes: shown(plan.changes) }).toEqual({ known, changes });
  });
});

describe('absorbRefused', () => {
  const present = entry({ ...LOADED, fileId: 3 });
  it.each<[string, FileEntry, boolean]>([
    ['one that nobody has touched goes without a trace', entry(), false],
    ['one that was tried does not', entry({ attempts: 1 }), true],
    ['one that was claimed does not', entry({ loadKey: 'k' }), true],
    ['one that an operator took again does not', entry({ before: 'held' }), true],
    ['one of another path does not', entry({ file: { ...FILE, path: 'b.csv' } }), true],
    ['none goes into itself', present, true],
  ])('%s', (_, candidate, refused) => {
    expect(absorbRefused(candidate, present) !== null).toBe(refused);
  });
});

describe('taken again and back', () => {
  it.each(END_STATES)('%s: the end is remembered, and nothing is done to its bytes meanwhile', (state) => {
    const changes = takeAgain(entry({ state, finishedAt: EARLIER }));
    expect(shown(changes)).toEqual(['set', 'drop-actions', `${state} -> discovered`]);
    expect(fieldsOf(changes)).toMatchObject({ before: { state, finishedAt: EARLIER }, finishedAt: null });
  });

  it.each(OPEN_STATES)('%s is on its way already', (state) => {
    expect(() => takeAgain(entry({ state }))).toThrow(/on its way already/);
  });

  it('back: only a loaded one shows its live load again, and only what had an end goes back to it', () => {
    expect(shown(backToEnd(entry(), WAS))).toEqual(['set', 'discovered -> rejected']);
    expect(shown(backToEnd(entry({ liveLoadId: 40 }), { ...WAS, state: 'loaded' }))).toEqual([
      'set',
      'show-live',
      'discovered -> loaded',
    ]);
    expect(() => backToEnd(entry(), null)).toThrow(/no earlier end/);
  });
});

describe('planEnd', () => {
  const facts: EndFacts = { originalCounts: true, receiptOf: null };
  const busy = entry({ state: 'loading', loadKey: 'k', attempts: 1 });
  const action = { kind: 'move', argument: 'done', companions: [] } as const;
  it.each<[string, FileEntry, EndOfFile, readonly string[]]>([
    ['loaded', busy, { state: 'loaded', loadId: 40 }, ['set', 'detail', 'receipt', 'loading -> loaded']],
    ['rejected', busy, { state: 'rejected', loadId: 41 }, ['set', 'detail', 'receipt', 'loading -> rejected']],
    ['held: there is no receipt of it', entry(), { state: 'held' }, ['set', 'detail', 'discovered -> held']],
    [
      'an after action is planned with it',
      busy,
      { state: 'loaded', loadId: 40, action },
      ['set', 'detail', 'receipt', 'loading -> loaded', 'plan-action'],
    ],
  ])('%s', (_, from, end, changes) => {
    expect(shown(planEnd(from, end, facts, NOW))).toEqual(changes);
  });

  it('what was said for this load is done with it, and what belonged to the way is gone', () => {
    const released = { ...busy, released: true, replaces: [12], owner: 'load-1' };
    expect(fieldsOf(planEnd(released, { state: 'loaded', loadId: 40, rows: NO_ROWS }, facts, NOW))).toMatchObject({
      live: { loadId: 40, read: 0 },
      released: false,
      replaces: [],
      owner: null,
      before: null,
      finishedAt: NOW,
    });
    expect(fieldsOf(planEnd(released, { state: 'failed' }, facts, NOW))).not.toHaveProperty('released');
  });

  it.each<[string, FileEntry, EndOfFile, EndFacts, RegExp]>([
    ['what has ended', entry(LOADED), { state: 'rejected' }, facts, /cannot end as rejected/],
    ['loaded without a claim', entry(), { state: 'loaded', loadId: 40 }, facts, /being loaded/],
    ['loaded without a load', busy, { state: 'loaded' }, facts, /without a load_id/],
    ['a receipt without a claim', entry(), { state: 'rejected', loadId: 40 }, facts, /never claimed/],
    [
      'a duplicate whose original is gone',
      entry(),
      { state: 'duplicate', duplicateOf: 3 },
      { ...facts, originalCounts: false },
      /file 3 is not loaded any more/,
    ],
    [
      'the receipt of another entry',
      busy,
      { state: 'loaded', loadId: 40 },
      { ...facts, receiptOf: 3 },
      /Load 40 is that of file 3/,
    ],
  ])('refuses %s', (_, from, end, known, message) => {
    expect(() => planEnd(from, end, known, NOW)).toThrow(message);
  });
});

describe('what an end does to others', () => {
  const by = { fileId: 9, loadKey: 'k', path: 'a.csv', sha256: 'y' };
  it.each<[string, Partial<FileEntry>, readonly string[] | null, boolean]>([
    ['loaded, other content', { ...LOADED, sha256: 'x' }, ['set', 'loaded -> superseded'], true],
    ['loaded, same content', { ...LOADED, sha256: 'y' }, ['set', 'loaded -> superseded', 'rename-original'], false],
    ['cleared', { state: 'cleared', loadId: 40 }, ['set', 'cleared -> superseded'], true],
    ['taken again', { state: 'discovered', liveLoadId: 40 }, ['set'], true],
    ['loaded by another load', { state: 'loaded', loadId: 41, liveLoadId: 41 }, null, false],
  ])('a load that was replaced: %s', (_, old, changes, reopens) => {
    const plan = planSuperseded(entry(old), 40, by);
    expect(plan === null ? null : shown(plan.changes)).toEqual(changes);
    expect(plan?.reopens ?? false).toBe(reopens);
  });

  it('a duplicate of other content that went comes back, and its turn is a first one', () => {
    const changes = planReopened(entry({ state: 'duplicate', attempts: 3 }), entry({ fileId: 3 }), by);
    expect(shown(changes)).toEqual(['set', 'drop-actions', 'duplicate -> discovered', 'set']);
    expect(fieldsOf(changes)).toMatchObject({ attempts: 0 });
  });

  it.each<[FileState, number | null, readonly string[]]>([
    ['rejected', null, ['rejected -> superseded']],
    ['failed', null, ['failed -> superseded']],
    ['rejected', 40, ['show-live', 'detail', 'rejected -> loaded']],
  ])('%s, with live load %s: nobody need look at it any more', (state, liveLoadId, changes) => {
    const plan = planBadSuperseded(entry({ state, liveLoadId }), 'why');
    expect(shown(plan.changes)).toEqual(changes);
    expect(plan.ends).toBe(liveLoadId === null);
  });

  it('an older snapshot that waits has its end', () => {
    const changes = planOlderSnapshot(entry({ state: 'landed' }), entry({ fileId: 9 }), NOW);
    expect(shown(changes)).toEqual(['set', 'landed -> superseded']);
    expect(fieldsOf(changes)).toMatchObject({ finishedAt: NOW, waitFor: null });
  });
});

describe('planTransition', () => {
  it.each<[string, Partial<FileEntry>, FileState, readonly string[]]>([
    ['taken again', { state: 'held' }, 'discovered', ['set', 'drop-actions', 'held -> discovered', 'set']],
    ['ignored', { state: 'held' }, 'ignored', ['set', 'held -> ignored', 'set']],
    [
      'cleared with a live load',
      LOADED,
      'cleared',
      ['set', 'receipt-status', 'set', 'drop-actions', 'loaded -> cleared', 'set'],
    ],
    ['cleared without one', { state: 'failed' }, 'cleared', ['set', 'drop-actions', 'failed -> cleared', 'set']],
  ])('%s', (_, from, to, changes) => {
    expect(shown(planTransition(entry(from), to, {}, ['k'], NOW))).toEqual(changes);
  });

  it('what leaves an end keeps the time at which it came there', () => {
    expect(fieldsOf(planTransition(entry(LOADED), 'cleared', {}, [], NOW))).toMatchObject({ finishedAt: EARLIER });
    expect(fieldsOf(planTransition(entry(), 'cleared', {}, [], NOW))).toMatchObject({ finishedAt: NOW });
  });

  it('the load may be told to count no more', () => {
    expect(fieldsOf(planTransition(entry(LOADED), 'superseded', { liveLoadId: null }, [], NOW))).toMatchObject({
      live: null,
    });
  });

  it.each<[FileState, FileState]>([
    ['loading', 'ignored'],
    ['held', 'loading'],
    ['held', 'landing'],
    ['held', 'landed'],
    ['held', 'loaded'],
  ])('%s cannot be made %s by a word', (state, to) => {
    expect(() => planTransition(entry({ state }), to, {}, [], NOW)).toThrow(/cannot be made/);
  });
});
