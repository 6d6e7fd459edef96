import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusDocument } from '../../src/operations/status.js';
import { freePort } from '../servers/sshd.js';
import { start, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { csv, put, reportOf, until } from './support.js';

/**
 * What a listing passes over and what stands in a feed's way is visible from outside: exit code, status, metrics. A
 * folder whose path is longer than the system takes (PATH_MAX) cannot be listed by anybody, root included.
 */
let db: TestDatabase;
const workspaces: Workspace[] = [];

beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  // Only a tool that goes down step by step can remove such a path.
  for (const ws of workspaces) execFileSync('rm', ['-rf', ws.dir]);
  await db.drop();
});

function open(...args: Parameters<typeof workspace>): Workspace {
  const ws = workspace(...args);
  workspaces.push(ws);
  return ws;
}

function digDeep(folder: string): void {
  const script =
    'cd "$1"; for i in {1..18}; do d=$(printf "d%.0s" {1..250}); mkdir "$d" && cd "$d"; done; touch deep.csv';
  execFileSync('bash', ['-c', script, 'bash', folder]);
}

const feedOf = async (ws: Workspace, feed: string): Promise<StatusDocument['items'][number]> =>
  ((await ws.json('status')) as StatusDocument).items.find((item) => item.feed === feed)!;

test('folders that cannot be listed: the rest is loaded, and the exit code, the message and status tell of them', async () => {
  const ws = open(db.url, { deep: { source: { recursive: true } } });
  put(ws, 'deep', 'a.csv', csv('1,a'));
  digDeep(ws.drop);
  const round = await ws.once();
  expect(reportOf(round, 'deep', 'a.csv').state).toBe('loaded');
  expect(round.code).toBe(5);
  expect(round.stderr).toMatch(/FOLDER_UNREADABLE/);
  expect(round.stderr).toMatch(/ENAMETOOLONG/);
  expect(await feedOf(ws, 'deep')).toMatchObject({
    troubles: {
      skipped: 0,
      unlisted: 1,
      items: [{ kind: 'unlisted', path: expect.stringMatching(/^d{250}/) as string }],
    },
  });
  expect((await ws.run('status')).stdout.replace(/\n {4}/g, '')).toMatch(/deep: not listed: ?d{250}/);
  expect((await ws.run('status', '--check')).code).toBe(5);
  execFileSync('bash', ['-c', 'rm -rf "$1"/ddd*', 'bash', ws.drop]);
  expect((await ws.once()).code).toBe(0);
  expect((await feedOf(ws, 'deep')).troubles).toEqual({ skipped: 0, unlisted: 0, items: [] });
});

test("files that are not taken: counted with the reason, exit code 3; folders and what no pattern meets are nobody's trouble", async () => {
  const ws = open(db.url, { links: { source: { pattern: '*' } } });
  put(ws, 'links', 'a.csv', csv('1,a'));
  symlinkSync('/etc/hostname', path.join(ws.drop, 'link.csv'));
  execFileSync('mkdir', [path.join(ws.drop, 'folder')]);
  const round = await ws.once();
  expect([round.code, round.summary.files['not_taken']]).toEqual([3, 1]);
  expect((await feedOf(ws, 'links')).troubles).toEqual({
    skipped: 1,
    unlisted: 0,
    items: [{ kind: 'skipped', path: 'link.csv', code: null, message: 'a symbolic link', fix: null }],
  });
  expect((await ws.run('status')).stdout).toContain('links: not taken: link.csv: a symbolic link');
  expect((await ws.run('status', '--check')).code).toBe(3);
  unlinkSync(path.join(ws.drop, 'link.csv'));
  expect((await ws.once()).code).toBe(0);
});

test('beside a daemon: stopped feeds, sources that are away and what was passed over, in status and in metrics', async () => {
  await db.client.query('create table staging.halted (id integer)');
  const port = await freePort();
  const ws = open(
    db.url,
    { halted: { columns: [{ name: 'id', type: 'integer' }] }, away: {}, links: {} },
    { daemon: { http: { listen: `127.0.0.1:${port}` } } },
  );
  put(ws, 'halted', 'a.csv', 'id\n1\n');
  symlinkSync('/etc/hostname', path.join(ws.dir, 'drop/links/link.csv'));
  rmSync(path.join(ws.dir, 'drop/away'), { recursive: true });
  const daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
  try {
    const document = await until(async () => {
      const now = (await ws.json('status')) as StatusDocument;
      return now.items.every((item) => item.troubles.items.length > 0) ? now : null;
    }, 'all three to be told of');
    expect(
      document.items.map(({ feed, troubles }) => [feed, troubles.items[0]!.kind, troubles.items[0]!.code]),
    ).toEqual([
      ['halted', 'stopped', 'CONTRACT_MISFIT'],
      ['away', 'source', 'SOURCE_UNREACHABLE'],
      ['links', 'skipped', null],
    ]);
    const text = (await ws.run('status')).stdout;
    const lines = text.replace(/\n {4}/g, ' ');
    expect(lines).toMatch(/halted: stopped: CONTRACT_MISFIT: .*\n {2}what to do: /);
    expect(lines).toMatch(/away: source: SOURCE_UNREACHABLE: /);
    expect((await ws.run('status', '--check')).code).toBe(5);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain('tallyman_feed_stopped{feed="halted",code="CONTRACT_MISFIT"} 1');
    expect(metrics).toContain('tallyman_feed_healthy{feed="away"} 0');
    expect(metrics).toContain('tallyman_feed_skipped_files{feed="links"} 1');
    expect(metrics).toContain('tallyman_feed_unlisted_folders{feed="links"} 0');
  } finally {
    daemon.child.kill('SIGTERM');
    await daemon.ended;
  }
});
