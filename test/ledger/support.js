import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { openLedger } from '../../src/ledger/sqlite-ledger.js';
const cleanups = [];
afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse())
        await clean();
});
export function temporaryDir() {
    const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-ledger-'));
    cleanups.push(() => {
        rmSync(dir, { recursive: true, force: true });
    });
    return dir;
}
/** A ledger in a folder of its own, closed and removed after the test. */
export function newLedger(options = {}) {
    return ledgerIn(temporaryDir(), options);
}
export function ledgerIn(dir, options = {}) {
    const ledger = openLedger(dir, options);
    cleanups.push(() => ledger.close());
    return ledger;
}
let token = 0;
/** A look at a path with a version token that was never seen before. */
export function look(name, size = 100, mtimeUs = 1_800_000_000_000_000) {
    return { path: name, size, mtimeUs, version: `v${++token}` };
}
export const hashOf = (content) => createHash('sha256').update(content).digest('hex');
export const counts = (read) => ({ read, loaded: read, quarantined: 0, skipped: 0, declared: null, delta: 0 });
export function discover(ledger, file, feed = 'orders') {
    return ledger.discover({ feed, file, uri: `file:///drop/${file.path}`, settleSeconds: 5 }, 'daemon');
}
let loads = 0;
/** Claims and ends an entry as loaded. */
export async function load(ledger, entry, as = {}) {
    const loadId = ++loads;
    const sha256 = hashOf(as.content ?? `content ${loadId}`);
    const claim = { loadKey: `key-${loadId}`, sha256, duplicateAllowed: as.duplicateAllowed ?? false, generation: entry.generation, owner: entry.owner };
    await ledger.claim(entry.fileId, claim, 'daemon');
    return ledger.end(entry.fileId, { state: 'loaded', sha256, loadId, rows: counts(as.rows ?? 10), replaced: as.replaced ?? [], ...as.more }, 'daemon', `committed as load ${loadId}`);
}
/** A new file, discovered and loaded. */
export async function loaded(ledger, name, as = {}) {
    const entry = await discover(ledger, as.file ?? look(name), as.feed);
    return (await load(ledger, entry, as)).entry;
}
/** A new file, discovered, claimed and ended in another way. */
export async function ended(ledger, file, end, feed) {
    const entry = await discover(ledger, file, feed);
    return (await ledger.end(entry.fileId, end, 'daemon', 'test')).entry;
}
export const stateOf = async (ledger, entry) => (await ledger.entry(entry.fileId))?.state;
export async function codeOf(promise) {
    try {
        await promise;
    }
    catch (error) {
        return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
    return 'no error';
}
/** A receipt as PostgreSQL would give it. Set `instanceId` to the ledger's own to make it an own one. */
export function receipt(change = {}) {
    const loadId = change.loadId ?? ++loads;
    return {
        loadId,
        loadKey: `receipt-${loadId}`,
        instanceId: 'another instance',
        feed: 'orders',
        path: 'a.csv',
        fileUri: 'file:///drop/a.csv',
        sha256: hashOf(`receipt ${loadId}`),
        size: 100,
        mtimeUs: 1_800_000_000_000_000,
        version: `receipt version ${loadId}`,
        generation: 1,
        status: 'loaded',
        duplicateAllowed: false,
        rows: counts(10),
        errorCode: null,
        committedAt: '2026-11-20T06:00:00.000Z',
        replaces: [],
        ...change,
    };
}
