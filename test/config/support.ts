import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { SourceType } from '../../src/core/source.js';
import { Secret } from '../../src/core/secret.js';
import type { Config } from '../../src/config/config.js';
import type { Env } from '../../src/config/read/interpolate.js';
import { parseConfig } from '../../src/config/load-config.js';
import type { PartRegistry } from '../../src/config/schema/part-section.js';
import { ConfigError, type Problem } from '../../src/config/problems/problem.js';
import { csv } from '../../src/formats/csv/index.js';
import { DECODERS, FORMATS, SOURCES } from '../../src/registry.js';
import { local } from '../../src/sources/local/index.js';

/** What the program really has: for the files that are made from it. */
export const REGISTERED: PartRegistry = { sources: SOURCES, formats: FORMATS, decoders: DECODERS };

/** Two real parts, so that a part that joins changes no test of the rules. */
export const PARTS: PartRegistry = { sources: [local], formats: [csv], decoders: [] };

/** A source with a connection and tags, as sftp and s3 will be. Nothing opens it. */
export const REMOTE: SourceType = {
  type: 'remote',
  options: z.strictObject({
    connection: z.string().describe('Name of the connection.'),
    dir: z.string().min(1).describe('Folder on the server.'),
  }),
  pathOptions: [],
  connectionOption: 'connection',
  defaults: { pollMs: 60_000, settleMs: 10_000, recursive: false },
  canTag: true,
  connection: {
    options: z.strictObject({
      host: z.string(),
      port: z.number().int().default(22),
      password: z.instanceof(Secret).optional().describe('Password.'),
      known_hosts: z.string().optional(),
    }),
    secretOptions: ['password'],
    pathOptions: ['known_hosts'],
  },
  open: () => {
    throw new Error('not in this test');
  },
};

export const WITH_REMOTE: PartRegistry = { ...PARTS, sources: [local, REMOTE] };

export interface Given {
  readonly env?: Env;
  readonly base?: string;
  readonly parts?: PartRegistry;
}

export const parse = (text: string, given: Given = {}): Config =>
  parseConfig(text, {
    shown: 'tallyman.yaml',
    base: given.base ?? '/srv/in',
    env: given.env ?? {},
    parts: given.parts ?? PARTS,
  });

/** Every mistake of the config, empty when there is none. */
export function problemsOf(text: string, given: Given = {}): readonly Problem[] {
  try {
    parse(text, given);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** `4:7 UNKNOWN_KEY feeds.orders.source.pol`: what most tests look at. */
export const placesOf = (text: string, given: Given = {}): readonly string[] =>
  problemsOf(text, given).map((p) => `${p.line}:${p.column} ${p.code} ${p.key}`);

/**
 * A config whose only feed is `orders`, with these lines under it, indented by 4. Line 1 of `lines` is line 5 of the
 * file.
 */
export const feedYaml = (lines: string): string =>
  `database: { embedded: true }\nfeeds:\n  # a comment\n  orders:\n${indent(lines, 4)}\n`;

/** The same with source and format before them. Line 1 of `lines` is line 7 of the file. */
export const fullFeed = (lines: string): string =>
  feedYaml(`source: { type: local, dir: drop }\nformat: { type: csv }\n${lines}`);

export const indent = (text: string, by: number): string =>
  text
    .trim()
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');

export function onlyFeed(config: Config): FeedSpec {
  const [feed] = config.feeds;
  if (feed === undefined || config.feeds.length !== 1) throw new Error(`${config.feeds.length} feeds`);
  return feed;
}

/** A folder with these files, for as long as `work` runs. */
export async function withFolder<T>(
  files: Readonly<Record<string, string | Buffer>>,
  work: (folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallyman-config-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
