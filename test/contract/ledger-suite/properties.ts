import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAEMON } from '../../../src/core/ledger/workers.js';
import type { SeenFile } from '../../../src/core/file.js';
import type { FileEntry } from '../../../src/core/entry.js';
import type { Ledger } from '../../../src/core/ledger/index.js';
import type { RequestKind } from '../../../src/core/ledger/requests.js';
import { FILE_STATES } from '../../../src/core/states.js';
import { admit, type AdmitPolicy, type Decision, type Probes } from '../../../src/intake/admit.js';
import { requestAllowed, requestEffect, requestMustWait } from '../../../src/ledger/rules/request-rules.js';
import { StagingModel } from './staging-model.js';
import { counts, hashOf, look } from './support.js';
import type { LedgerHarness, SuiteParts } from './harness.js';

/**
 * A drop folder, a database and a daemon in small: files come, change and go in any order, loads are rejected or find
 * their file changed, operators ask for anything, the process starts again. Whatever happens, the promises hold.
 */

type Fate = 'loaded' | 'rejected' | 'unreachable' | 'failed';

type Step =
  | { readonly do: 'write'; readonly path: string; readonly content: string }
  | { readonly do: 'touch'; readonly path: string }
  | { readonly do: 'remove'; readonly path: string }
  /** `begin` leaves the load under way until a `finish`. */
  | { readonly do: 'work'; readonly fate: Fate | 'begin' }
  | { readonly do: 'finish'; readonly fate: Fate }
  | { readonly do: 'ask'; readonly kind: RequestKind; readonly nth: number }
  | { readonly do: 'restart' };

const PATHS = ['a', 'b', 'c'];
/** '' is empty, 'h' is a header without records, 'hx' grows out of 'h' into 'hxy'. */
const CONTENTS = ['', 'h', 'hx', 'hxy', 'hz', 'hw'];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      path: fc.constantFrom(...PATHS),
      content: fc.constantFrom(...CONTENTS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touch' as const), path: fc.constantFrom(...PATHS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), path: fc.constantFrom(...PATHS) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('work' as const),
      fate: fc.constantFrom<Fate | 'begin'>(
        'begin',
        'begin',
        'loaded',
        'loaded',
        'loaded',
        'rejected',
        'unreachable',
        'failed',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      fate: fc.constantFrom<Fate>('loaded', 'loaded', 'rejected', 'unreachable'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      kind: fc.constantFrom<RequestKind>('reprocess', 'clear', 'retry', 'release', 'ignore'),
      nth: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

const policy: fc.Arbitrary<AdmitPolicy> = fc.record({
  onDuplicate: fc.constantFrom('skip' as const, 'load' as const, 'hold' as const),
  onChanged: fc.constantFrom('load' as const, 'replace' as const, 'hold' as const, 'skip' as const),
  target: fc.record({ mode: fc.constantFrom('append' as const, 'append' as const, 'replace_all' as const) }),
});

const recordsIn = (content: string): number => Math.max(0, content.length - 1);

interface Flight {
  readonly entry: FileEntry;
  readonly content: string;
  readonly loadId: number;
  readonly decision: Extract<Decision, { kind: 'load' }>;
}

class World {
  readonly #store: LedgerHarness;
  readonly #policy: AdmitPolicy;
  readonly staging = new StagingModel();
  readonly #drop = new Map<string, { readonly content: string; readonly file: SeenFile }>();
  ledger: Ledger;
  #clock = 1_000;
  #loads = 0;
  readonly #flying: Flight[] = [];

  constructor(rules: AdmitPolicy, store: LedgerHarness) {
    this.#policy = rules;
    this.#store = store;
    this.ledger = store.ledger;
  }

  async run(one: Step): Promise<void> {
    switch (one.do) {
      case 'write':
        this.#put(one.path, one.content);
        return await this.#scan();
      case 'touch': {
        const there = this.#drop.get(one.path);
        if (there !== undefined) this.#put(one.path, there.content);
        return await this.#scan();
      }
      case 'remove':
        this.#drop.delete(one.path);
        return;
      case 'work':
        await this.work(one.fate);
        return;
      case 'finish':
        await this.finish(one.fate);
        return;
      case 'ask':
        return await this.#ask(one.kind, one.nth);
      case 'restart':
        await this.ledger.close();
        this.ledger = await this.#store.reopen();
    }
  }

  #put(path: string, content: string): void {
    this.#drop.set(path, { content, file: look(path, content.length, ++this.#clock) });
  }

  async #scan(): Promise<void> {
    const listed = [...this.#drop.values()].map((there) => there.file);
    for (const file of await this.ledger.unknown('orders', listed))
      await this.ledger.discover({ feed: 'orders', file, uri: `file:///${file.path}`, settleSeconds: 0 }, 'daemon');
  }

  /** One turn of the daemon. False when nothing waits. */
  async work(fate: Fate | 'begin'): Promise<boolean> {
    const [entry] = await this.ledger.waiting('orders', 1, {
      ignoreBackoff: true,
      newestFirst: this.#policy.target.mode === 'replace_all',
    });
    if (entry === undefined) return false;
    const there = this.#drop.get(entry.file.path);
    if (there?.file.version !== entry.file.version) {
      if (entry.before === null) await this.ledger.end(entry.fileId, { state: 'vanished' }, 'daemon', 'gone');
      else await this.ledger.giveBack(entry.fileId, 'daemon', 'gone');
    } else {
      await this.#act(entry, there.content, await this.#decide(entry, there.content), fate);
    }
    return true;
  }

  async #decide(entry: FileEntry, content: string): Promise<Decision> {
    let probes: Probes = { prefix: null, empty: null };
    for (;;) {
      const decision = admit(
        await this.ledger.facts(entry.fileId, { snapshot: this.#policy.target.mode === 'replace_all' }),
        this.#policy,
        probes,
      );
      if (decision.kind === 'needHash') await this.ledger.setContent(entry.fileId, hashOf(content));
      else if (decision.kind === 'needPrefixHash')
        probes = { ...probes, prefix: { of: decision.of, sha256: hashOf(content.slice(0, decision.bytes)) } };
      else if (decision.kind === 'needEmptyCheck') probes = { ...probes, empty: content === '' };
      else return decision;
    }
  }

  async #act(entry: FileEntry, content: string, decision: Decision, fate: Fate | 'begin'): Promise<void> {
    const { ledger } = this;
    const { fileId } = entry;
    switch (decision.kind) {
      case 'touched':
        return await ledger.absorb(fileId, decision.present);
      case 'wait':
        return await ledger.wait(fileId, decision.forFileId);
      case 'duplicate':
        await ledger.end(fileId, { state: 'duplicate', duplicateOf: decision.of }, 'daemon', decision.reason);
        return;
      case 'hold':
      case 'ignore':
      case 'superseded':
        await ledger.end(
          fileId,
          { state: ({ hold: 'held', ignore: 'ignored', superseded: 'superseded' } as const)[decision.kind] },
          'daemon',
          decision.reason,
        );
        return;
      case 'load': {
        const loadId = ++this.#loads;
        const { generation, duplicateAllowed } = decision;
        await ledger.claim(
          fileId,
          { loadKey: `key ${loadId}`, generation, duplicateAllowed, worker: DAEMON },
          'daemon',
        );
        this.#flying.push({ entry, content, loadId, decision });
        if (fate !== 'begin') await this.finish(fate);
        return;
      }
      case 'needHash':
      case 'needPrefixHash':
      case 'needEmptyCheck':
        throw new Error('still undecided');
    }
  }

  /** The load that was begun last comes to its end. False when none is under way. */
  async finish(fate: Fate): Promise<boolean> {
    const flight = this.#flying.pop();
    if (flight === undefined) return false;
    const { entry, content, loadId, decision } = flight;
    const changed = this.#drop.get(entry.file.path)?.file.version !== entry.file.version;
    if (fate === 'unreachable' || changed) {
      await this.ledger.unclaim(entry.fileId, { uncount: true, retryAt: null, error: null }, 'daemon', 'unreachable');
      await this.#scan();
      return true;
    }
    const { generation, duplicateAllowed, replaces } = decision;
    const rows = counts(recordsIn(content));
    const receipt = { loadId, path: entry.file.path, content, records: rows.read, duplicateAllowed, generation };
    if (fate === 'loaded') {
      const { replaced, winner } = this.staging.commit(receipt, replaces);
      if (winner !== null) {
        await this.ledger.end(
          entry.fileId,
          {
            state: 'duplicate',
            duplicateOf: (await this.ledger.byLoadId(winner))?.fileId ?? null,
            sha256: hashOf(content),
          },
          'daemon',
          'lost race',
        );
        return true;
      }
      await this.ledger.end(
        entry.fileId,
        { state: 'loaded', sha256: hashOf(content), loadId, generation, rows, replaced, olderSnapshots: replaces.feed },
        'daemon',
        'committed',
      );
    } else {
      const replaced = fate === 'rejected' ? this.staging.reject(receipt) : [];
      await this.ledger.end(
        entry.fileId,
        { state: fate, sha256: hashOf(content), loadId: fate === 'rejected' ? loadId : null, replaced },
        'daemon',
        fate,
      );
    }
    return true;
  }

  async #ask(kind: RequestKind, nth: number): Promise<void> {
    const files = await this.ledger.files({ limit: 0 });
    const entry = files.length === 0 ? null : await this.ledger.entry(files[nth % files.length]!.file_id);
    if (entry === null || requestAllowed(kind, entry) !== null || requestMustWait(kind, entry)) return;
    if (kind === 'clear') this.staging.clear(entry.liveLoadId);
    const { to, change } = requestEffect(kind, entry);
    await this.ledger.transition(entry.fileId, to, change, 'cli:ann', kind);
    await this.#scan();
  }
}

async function checkLedger({ ledger, staging }: World): Promise<void> {
  const states: Record<string, number> = {};
  const liveHere: number[] = [];
  for (const report of await ledger.files({ limit: 0 })) {
    const entry = (await ledger.entry(report.file_id))!;
    const history = (await ledger.detail(report.file_id))!.history;
    states[report.state] = (states[report.state] ?? 0) + 1;
    expect(FILE_STATES).toContain(report.state);
    expect(history[0]?.from).toBeNull();
    expect(history.at(-1)?.to).toBe(report.state);
    for (const [i, { to }] of history.slice(0, -1).entries()) expect(history[i + 1]?.from).toBe(to);
    if (entry.liveLoadId !== null) liveHere.push(entry.liveLoadId);
    if (entry.state === 'loaded') expect(entry.liveLoadId).not.toBeNull();
    if (['superseded', 'cleared', 'vanished', 'duplicate'].includes(entry.state)) expect(entry.liveLoadId).toBeNull();
    if (entry.liveLoadId !== null && entry.state === 'loaded')
      expect(entry.generation).toBe(staging.loads.find((load) => load.loadId === entry.liveLoadId)?.generation);
    if (entry.state === 'rejected')
      expect(staging.loads.find((load) => load.loadId === entry.loadId)?.status).toBe('rejected');
    expect(entry.finishedAt === null).toBe(['discovered', 'landing', 'landed', 'loading'].includes(entry.state));
  }
  expect(new Set(liveHere)).toEqual(new Set(staging.live().map((load) => load.loadId)));
  expect(liveHere).toHaveLength(staging.live().length);
  const known = await ledger.knownLoads(0, 1_000);
  expect(known.map(({ loadId, status }) => ({ loadId, status }))).toEqual(
    staging.loads.map(({ loadId, status }) => ({ loadId, status })).sort((a, b) => a.loadId - b.loadId),
  );
  expect((await ledger.feedSummaries('2000-01-01T00:00:00Z'))[0]?.states ?? {}).toEqual(states);
}

/** c waits for a, and a for the held second version of b. */
const CHAIN: Step[] = [
  { do: 'write', path: 'b', content: '' },
  { do: 'work', fate: 'loaded' },
  { do: 'write', path: 'b', content: 'hw' },
  { do: 'write', path: 'a', content: 'hw' },
  { do: 'work', fate: 'begin' },
  { do: 'write', path: 'c', content: 'hw' },
  { do: 'remove', path: 'b' },
  { do: 'write', path: 'b', content: '' },
  { do: 'work', fate: 'begin' },
  { do: 'work', fate: 'begin' },
];

export function propertiesSuite({ open }: SuiteParts): void {
  describe('whatever happens', () => {
    it('nothing is loaded twice, ledger and receipts agree, every history is whole, and every version comes to an end', async () => {
      await fc.assert(
        fc.asyncProperty(policy, fc.array(step, { minLength: 5, maxLength: 30 }), async (rules, steps) => {
          const world = new World(rules, await open());
          for (const one of steps) await world.run(one);
          await checkLedger(world);
          for (let turns = 0; (await world.finish('loaded')) || (await world.work('loaded')); turns++)
            expect(turns).toBeLessThan(500);
          await checkLedger(world);
          // What is still open waits for a person: its content is that of a held file, or of one that waits for it.
          for (const report of await world.ledger.files({
            limit: 0,
            states: ['discovered', 'landing', 'landed', 'loading'],
          })) {
            // One may wait for another that waits itself; never in a circle.
            const seen = new Set<number>();
            let awaited = await world.ledger.entry(report.file_id);
            while (awaited !== null && awaited.state === 'discovered') {
              expect(seen).not.toContain(awaited.fileId);
              seen.add(awaited.fileId);
              awaited = awaited.waitFor === null ? null : await world.ledger.entry(awaited.waitFor);
            }
            expect(awaited?.state).toBe('held');
          }
          await world.ledger.close();
        }),
        { numRuns: 200, examples: [[{ onDuplicate: 'skip', onChanged: 'hold', target: { mode: 'append' } }, CHAIN]] },
      );
    });
  });
}
