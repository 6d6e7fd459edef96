import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AdmitFacts } from '../../src/core/ledger/queue.js';
import type { FileEntry } from '../../src/core/entry.js';
import { NO_ROWS } from '../../src/core/report.js';
import { admit, newerSnapshot, NO_PROBES, type AdmitPolicy, type Decision } from '../../src/intake/admit.js';

const sha = (content: string): string => createHash('sha256').update(content).digest('hex');

function entry(change: Partial<Omit<FileEntry, 'file'>> & { file?: Partial<FileEntry['file']> } = {}): FileEntry {
  return {
    fileId: 10,
    feed: 'orders',
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
    discoveredAt: '2026-11-20T06:00:00.000Z',
    finishedAt: null,
    retryAt: null,
    deaths: { chunk: -1, count: 0 },
    ...change,
    file: { path: 'a.csv', size: 100, mtimeUs: 1_000, version: 'v', ...change.file },
  };
}

const live = (change: Parameters<typeof entry>[0] = {}): FileEntry =>
  entry({ fileId: 5, state: 'loaded', loadId: 7, liveLoadId: 7, sha256: sha('old'), ...change });

function facts(change: Partial<AdmitFacts> = {}): AdmitFacts {
  return {
    entry: entry(),
    sha256: sha('new'),
    present: null,
    live: null,
    liveSamePath: null,
    liveElsewhere: null,
    ignoredSame: null,
    inProgressSame: null,
    heldSame: null,
    loadingUnhashed: null,
    sameSize: false,
    outgoingGeneration: 0,
    laterRejected: [],
    snapshot: null,
    ...change,
  };
}

const policy = (change: Partial<AdmitPolicy> = {}): AdmitPolicy => ({
  onDuplicate: 'skip',
  onChanged: 'load',
  target: { mode: 'append' },
  ...change,
});

const kind = (decision: Decision): string => decision.kind;

describe('new path, content not seen', () => {
  it('load', () => {
    expect(admit(facts(), policy())).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [], path: false, feed: false },
      duplicateAllowed: false,
      generation: 1,
    });
  });

  it('leaves the rejections of later versions of its path as they are', () => {
    expect(admit(facts({ laterRejected: [9, 8] }), policy())).toMatchObject({
      kind: 'load',
      replaces: { keep: [9, 8] },
    });
  });

  it('needs no hash when nothing of its size is there', () => {
    expect(kind(admit(facts({ sha256: null }), policy()))).toBe('load');
  });

  it('asks for the hash when something of its size is there', () => {
    expect(kind(admit(facts({ sha256: null, sameSize: true }), policy()))).toBe('needHash');
  });

  it('replaces cleared loads of the same path or content one generation up', () => {
    expect(admit(facts({ outgoingGeneration: 2 }), policy())).toMatchObject({ kind: 'load', generation: 3 });
  });
});

describe('new path, content seen: on_duplicate', () => {
  const seen = facts({ liveElsewhere: { fileId: 5, loadId: 7 } });

  it('skip: state duplicate, naming the original', () => {
    expect(admit(seen, policy())).toMatchObject({ kind: 'duplicate', of: 5 });
  });

  it('load: loaded beside it as an allowed duplicate', () => {
    expect(admit(seen, policy({ onDuplicate: 'load' }))).toMatchObject({ kind: 'load', duplicateAllowed: true });
  });

  it('hold', () => {
    expect(kind(admit(seen, policy({ onDuplicate: 'hold' })))).toBe('hold');
  });

  it('hold, released: loaded as an allowed duplicate', () => {
    expect(
      admit({ ...seen, entry: entry({ released: true, before: 'held' }) }, policy({ onDuplicate: 'hold' })),
    ).toMatchObject({ kind: 'load', duplicateAllowed: true });
  });

  it('a release does not overrule skip: nothing twice', () => {
    expect(kind(admit({ ...seen, entry: entry({ released: true, before: 'rejected' }) }, policy()))).toBe('duplicate');
  });

  it('content that another instance loaded is seen; no file of ours is named', () => {
    expect(admit(facts({ liveElsewhere: { fileId: null, loadId: 9 } }), policy())).toMatchObject({
      kind: 'duplicate',
      of: null,
    });
  });

  it('content of an ignored file is seen', () => {
    expect(admit(facts({ ignoredSame: 4 }), policy())).toMatchObject({ kind: 'duplicate', of: 4 });
  });

  it('beside an ignored file only, no second live receipt has to be allowed', () => {
    expect(admit(facts({ ignoredSame: 4 }), policy({ onDuplicate: 'load' }))).toMatchObject({
      kind: 'load',
      duplicateAllowed: false,
    });
  });

  it('a file of 0 records is never a duplicate of another path', () => {
    expect(kind(admit(facts({ entry: entry({ file: { size: 0 } }), ignoredSame: 4, heldSame: 3 }), policy()))).toBe(
      'load',
    );
    expect(kind(admit(facts({ ignoredSame: 4 }), policy(), { ...NO_PROBES, empty: true }))).toBe('load');
  });
});

describe('content equal to a version in progress or held waits for its end', () => {
  it('in progress', () => {
    expect(admit(facts({ inProgressSame: 4 }), policy())).toMatchObject({ kind: 'wait', forFileId: 4 });
  });

  it('held', () => {
    expect(admit(facts({ heldSame: 4 }), policy())).toMatchObject({ kind: 'wait', forFileId: 4 });
  });

  it('also under on_duplicate: load', () => {
    expect(kind(admit(facts({ inProgressSame: 4 }), policy({ onDuplicate: 'load' })))).toBe('wait');
  });

  it('waits for a file of the same size that is being read and not hashed yet', () => {
    expect(admit(facts({ loadingUnhashed: 4 }), policy())).toMatchObject({ kind: 'wait', forFileId: 4 });
  });

  it('a live load of the content decides at once', () => {
    expect(
      kind(admit(facts({ liveElsewhere: { fileId: 5, loadId: 7 }, inProgressSame: 4, heldSame: 3 }), policy())),
    ).toBe('duplicate');
  });

  it('what was released does not wait for another hold', () => {
    expect(
      kind(
        admit(
          facts({ entry: entry({ released: true, before: 'held' }), heldSame: 4 }),
          policy({ onDuplicate: 'hold' }),
        ),
      ),
    ).toBe('load');
  });
});

describe('known path, same bytes', () => {
  const present = { entry: live({ sha256: sha('new') }), seen: true };

  it('as its present version: only touched', () => {
    expect(admit(facts({ present, live: present.entry, liveSamePath: 5 }), policy())).toEqual({
      kind: 'touched',
      present: 5,
    });
  });

  it('touched whatever the policies say', () => {
    expect(
      kind(
        admit(
          facts({ present, live: present.entry, liveSamePath: 5 }),
          policy({ onDuplicate: 'load', onChanged: 'hold' }),
        ),
      ),
    ).toBe('touched');
  });

  it('asks for the hash first', () => {
    expect(kind(admit(facts({ present, live: present.entry, sha256: null }), policy()))).toBe('needHash');
  });

  it('does not ask for it when the sizes differ', () => {
    const other = live({ file: { size: 120 } });
    expect(kind(admit(facts({ present: { entry: other, seen: true }, live: other, sha256: null }), policy()))).toBe(
      'load',
    );
  });

  it('as a rejected version: rejected never counts, so it is loaded again', () => {
    const rejected = entry({ fileId: 5, state: 'rejected', sha256: sha('new') });
    expect(kind(admit(facts({ present: { entry: rejected, seen: false } }), policy()))).toBe('load');
  });

  it('live as an older version of the path: duplicate, also under on_duplicate: load', () => {
    const newer = live({ fileId: 6 });
    const again = facts({ present: { entry: newer, seen: true }, live: newer, liveSamePath: 5 });
    expect(admit(again, policy())).toMatchObject({ kind: 'duplicate', of: 5 });
    expect(admit(again, policy({ onDuplicate: 'load', onChanged: 'replace' }))).toMatchObject({
      kind: 'duplicate',
      of: 5,
    });
  });

  it('an entry that was tried keeps its history: duplicate instead of touched', () => {
    expect(
      kind(admit(facts({ entry: entry({ attempts: 1 }), present, live: present.entry, liveSamePath: 5 }), policy())),
    ).toBe('duplicate');
  });

  it('an adopted file under a new token with its old size and mtime is touched though nobody ever read it', () => {
    const adopted = entry({ fileId: 5, state: 'ignored' });
    expect(kind(admit(facts({ present: { entry: adopted, seen: true }, sha256: null }), policy()))).toBe('touched');
  });

  it('an adopted file with another mtime is a version', () => {
    const adopted = entry({ fileId: 5, state: 'ignored', file: { mtimeUs: 999 } });
    expect(kind(admit(facts({ present: { entry: adopted, seen: true } }), policy()))).toBe('load');
  });
});

describe('known path, content not seen: on_changed', () => {
  const other = live({ file: { size: 120 }, generation: 2 });
  const changed = facts({ present: { entry: other, seen: true }, live: other });

  it('load: a further version, the earlier rows stay', () => {
    expect(admit(changed, policy())).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [], path: false },
      generation: 1,
    });
  });

  it('replace: the rows of the path go in the same transaction, generation raised', () => {
    expect(admit(changed, policy({ onChanged: 'replace' }), { prefix: null, empty: false })).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [], path: true },
      generation: 3,
    });
  });

  it('hold', () => {
    expect(kind(admit(changed, policy({ onChanged: 'hold' })))).toBe('hold');
  });

  it('skip: ignored', () => {
    expect(kind(admit(changed, policy({ onChanged: 'skip' })))).toBe('ignore');
  });

  it.each(['hold', 'skip'] as const)('%s, released: a further version', (onChanged) => {
    expect(
      admit({ ...changed, entry: entry({ released: true, before: 'held' }) }, policy({ onChanged })),
    ).toMatchObject({ kind: 'load', replaces: { path: false } });
  });

  it('applies only when an earlier version of the path is loaded', () => {
    const rejected = entry({ fileId: 5, state: 'rejected' });
    expect(kind(admit(facts({ present: { entry: rejected, seen: false } }), policy({ onChanged: 'hold' })))).toBe(
      'load',
    );
  });

  it('content seen under another path: on_duplicate decides', () => {
    expect(kind(admit({ ...changed, liveElsewhere: { fileId: 3, loadId: 2 } }, policy({ onChanged: 'replace' })))).toBe(
      'duplicate',
    );
  });

  it('replace never lets an older version push out a newer one', () => {
    const newer = live({ fileId: 11 });
    expect(
      admit(facts({ live: newer }), policy({ onChanged: 'replace' }), { prefix: null, empty: false }),
    ).toMatchObject({ kind: 'superseded', by: 11 });
  });
});

describe('grown: the new content begins with exactly the bytes of the loaded version', () => {
  const half = live({ file: { size: 60 } });
  const changed = facts({ present: { entry: half, seen: true }, live: half });

  it('asks for the hash of the first old-size bytes', () => {
    expect(admit(changed, policy())).toEqual({ kind: 'needPrefixHash', bytes: 60, of: 5 });
  });

  it('load acts as replace on the load that it has grown from', () => {
    expect(admit(changed, policy(), { prefix: { of: 5, sha256: sha('old') }, empty: null })).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [7] },
      generation: 2,
    });
  });

  it('other first bytes: a further version', () => {
    expect(admit(changed, policy(), { prefix: { of: 5, sha256: sha('other') }, empty: null })).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [] },
    });
  });

  it('a prefix hash that was taken for another version is asked for again', () => {
    expect(kind(admit(changed, policy(), { prefix: { of: 4, sha256: sha('old') }, empty: null }))).toBe(
      'needPrefixHash',
    );
  });

  it('hold and skip stay hold and skip', () => {
    expect(kind(admit(changed, policy({ onChanged: 'hold' })))).toBe('hold');
    expect(kind(admit(changed, policy({ onChanged: 'skip' })))).toBe('ignore');
  });

  it('a file that shrank has not grown', () => {
    const long = live({ file: { size: 600 } });
    expect(kind(admit(facts({ live: long }), policy()))).toBe('load');
  });
});

describe('empty files', () => {
  const full = live();
  const empty = facts({ entry: entry({ file: { size: 0 } }), live: full, present: { entry: full, seen: true } });

  it('under replace an empty version of a loaded path is held (a writer may have truncated it)', () => {
    expect(kind(admit(empty, policy({ onChanged: 'replace' })))).toBe('hold');
  });

  it('under replace asks whether a file of some bytes is empty', () => {
    const changed = { ...empty, entry: entry() };
    expect(kind(admit(changed, policy({ onChanged: 'replace' })))).toBe('needEmptyCheck');
    expect(kind(admit(changed, policy({ onChanged: 'replace' }), { prefix: null, empty: true }))).toBe('hold');
  });

  it('under replace, released: the operator says that it is really empty', () => {
    expect(
      admit(
        { ...empty, entry: entry({ released: true, before: 'held', file: { size: 0 } }) },
        policy({ onChanged: 'replace' }),
      ),
    ).toMatchObject({ kind: 'load', replaces: { path: true } });
  });

  it('under load an empty version is a further version of 0 rows', () => {
    expect(admit(empty, policy())).toMatchObject({ kind: 'load', replaces: { loadIds: [], path: false } });
  });

  it('an empty version that was filled has grown', () => {
    const hollow = live({ file: { size: 0 }, sha256: sha('') });
    expect(admit(facts({ live: hollow }), policy(), { prefix: { of: 5, sha256: sha('') }, empty: null })).toMatchObject(
      { kind: 'load', replaces: { loadIds: [7] } },
    );
  });
});

describe('taken again', () => {
  const again = entry({
    liveLoadId: 8,
    loadId: 8,
    generation: 2,
    before: 'loaded',
    released: true,
    sha256: sha('new'),
  });

  it('reprocess replaces its own load, not double', () => {
    expect(admit(facts({ entry: again }), policy())).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [8], path: false, feed: false },
      generation: 2,
      duplicateAllowed: false,
    });
  });

  it('an allowed duplicate stays one', () => {
    expect(
      admit(facts({ entry: { ...again, duplicateAllowed: true }, liveElsewhere: { fileId: 5, loadId: 7 } }), policy()),
    ).toMatchObject({ kind: 'load', duplicateAllowed: true });
  });

  it('the original beside its allowed duplicates is no duplicate of them', () => {
    expect(admit(facts({ entry: again, liveElsewhere: { fileId: 20, loadId: 9 } }), policy())).toMatchObject({
      kind: 'load',
      duplicateAllowed: false,
    });
  });

  it('another loaded version of the path stays: only its own rows are replaced', () => {
    expect(admit(facts({ entry: again, live: live({ fileId: 11 }) }), policy({ onChanged: 'replace' }))).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [8], path: false },
    });
  });

  it('load --replaces names the load that goes', () => {
    expect(admit(facts({ entry: entry({ replaces: [7] }), outgoingGeneration: 4 }), policy())).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [7] },
      generation: 5,
    });
  });

  it('a retry goes through the table as before', () => {
    const rejected = entry({ before: 'rejected' });
    expect(kind(admit(facts({ entry: rejected, liveElsewhere: { fileId: 5, loadId: 7 } }), policy()))).toBe(
      'duplicate',
    );
  });
});

describe('mode: replace_all is a snapshot feed', () => {
  const snapshot = (change: Partial<NonNullable<AdmitFacts['snapshot']>> = {}): AdmitFacts['snapshot'] => ({
    live: null,
    liveHasRecords: true,
    loading: null,
    newerOpen: null,
    ...change,
  });
  const replaceAll = policy({ target: { mode: 'replace_all' } });
  const old = live({ file: { path: 'z.csv', mtimeUs: 900, size: 120 }, generation: 3 });

  it("replaces this feed's rows, all of them", () => {
    expect(admit(facts({ snapshot: snapshot({ live: old }) }), replaceAll)).toMatchObject({
      kind: 'load',
      replaces: { path: false, feed: true },
      generation: 4,
      duplicateAllowed: false,
    });
  });

  it('one file at a time', () => {
    expect(admit(facts({ snapshot: snapshot({ loading: 4 }) }), replaceAll)).toMatchObject({
      kind: 'wait',
      forFileId: 4,
    });
  });

  it('newest first: an older one waits, for the newest may be rejected', () => {
    expect(admit(facts({ snapshot: snapshot({ newerOpen: 12 }) }), replaceAll)).toMatchObject({
      kind: 'wait',
      forFileId: 12,
    });
  });

  it('older than the one loaded: superseded', () => {
    expect(
      admit(facts({ snapshot: snapshot({ live: live({ file: { path: 'b.csv', mtimeUs: 1_001 } }) }) }), replaceAll),
    ).toMatchObject({ kind: 'superseded', by: 5 });
  });

  it('same mtime: by path', () => {
    expect(kind(admit(facts({ snapshot: snapshot({ live: live({ file: { path: 'b.csv' } }) }) }), replaceAll))).toBe(
      'superseded',
    );
    expect(kind(admit(facts({ snapshot: snapshot({ live: live({ file: { path: 'Z.csv' } }) }) }), replaceAll))).toBe(
      'load',
    );
  });

  it('only the one live load counts as seen', () => {
    const elsewhere = facts({
      liveElsewhere: { fileId: 3, loadId: 2 },
      liveSamePath: 3,
      heldSame: 2,
      inProgressSame: 4,
      ignoredSame: 6,
      snapshot: snapshot({ live: old }),
    });
    expect(kind(admit(elsewhere, replaceAll))).toBe('load');
  });

  it('the live content under a new name: on_duplicate', () => {
    const same = facts({
      snapshot: snapshot({ live: live({ sha256: sha('new'), file: { path: 'z.csv', mtimeUs: 900 } }) }),
    });
    expect(admit(same, replaceAll)).toMatchObject({ kind: 'duplicate', of: 5 });
    expect(kind(admit(same, { ...replaceAll, onDuplicate: 'hold' }))).toBe('hold');
    expect(admit(same, { ...replaceAll, onDuplicate: 'load' })).toMatchObject({
      kind: 'load',
      duplicateAllowed: false,
    });
  });

  it('the live content touched: no entry', () => {
    const now = live({ sha256: sha('new') });
    expect(
      kind(admit(facts({ present: { entry: now, seen: true }, snapshot: snapshot({ live: now }) }), replaceAll)),
    ).toBe('touched');
  });

  it('reprocess of the live one replaces it', () => {
    const again = entry({ liveLoadId: 8, generation: 2, before: 'loaded' });
    expect(admit(facts({ entry: again, snapshot: snapshot({ live: again }) }), replaceAll)).toMatchObject({
      kind: 'load',
      replaces: { loadIds: [8], feed: true },
      generation: 2,
    });
  });

  it('a changed file of a fixed name obeys on_changed', () => {
    const now = live({ file: { mtimeUs: 900 } });
    const next = facts({ snapshot: snapshot({ live: now }) });
    expect(kind(admit(next, replaceAll))).toBe('load');
    expect(kind(admit(next, { ...replaceAll, onChanged: 'hold' }))).toBe('hold');
    expect(kind(admit(next, { ...replaceAll, onChanged: 'skip' }))).toBe('ignore');
  });

  it('orders by mtime, then path, then the later version; no mtime comes first', () => {
    expect(newerSnapshot(entry({ file: { mtimeUs: 2 } }), entry({ file: { mtimeUs: 1, path: 'z.csv' } }))).toBe(true);
    expect(newerSnapshot(entry({ fileId: 2 }), entry({ fileId: 1 }))).toBe(true);
    expect(newerSnapshot(entry({ file: { mtimeUs: null } }), entry({ file: { mtimeUs: 0 } }))).toBe(false);
  });
});
