import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { Secret } from '../../src/core/secret.js';
import { parseConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/problem.js';
import { DECODERS, FORMATS, SOURCES } from '../../src/registry.js';
export const PARTS = { sources: SOURCES, formats: FORMATS, decoders: DECODERS };
/** A source with a connection and tags, as sftp and s3 will be. Nothing opens it. */
export const REMOTE = {
    type: 'remote',
    options: z.strictObject({ connection: z.string().describe('Name of the connection.'), dir: z.string().min(1).describe('Folder on the server.') }),
    pathOptions: [],
    connectionOption: 'connection',
    defaults: { pollMs: 60_000, settleMs: 10_000, recursive: false },
    canTag: true,
    connection: {
        options: z.strictObject({ host: z.string(), port: z.number().int().default(22), password: z.instanceof(Secret).optional().describe('Password.'), known_hosts: z.string().optional() }),
        secretOptions: ['password'],
        pathOptions: ['known_hosts'],
    },
    open: () => {
        throw new Error('not in this test');
    },
};
export const WITH_REMOTE = { ...PARTS, sources: [...SOURCES, REMOTE] };
export const parse = (text, given = {}) => parseConfig(text, { shown: 'tallyman.yaml', base: given.base ?? '/srv/in', env: given.env ?? {}, parts: given.parts ?? PARTS });
/** Every mistake of the config, empty when there is none. */
export function problemsOf(text, given = {}) {
    try {
        parse(text, given);
        return [];
    }
    catch (error) {
        if (error instanceof ConfigError)
            return error.problems;
        throw error;
    }
}
/** `4:7 UNKNOWN_KEY feeds.orders.source.pol`: what most tests look at. */
export const placesOf = (text, given = {}) => problemsOf(text, given).map((p) => `${p.line}:${p.column} ${p.code} ${p.key}`);
/** A config whose only feed is `orders`, with these lines under it, indented by 4. Line 1 of `lines` is line 5 of the file. */
export const feedYaml = (lines) => `database: { embedded: true }\nfeeds:\n  # a comment\n  orders:\n${indent(lines, 4)}\n`;
/** The same with source and format before them. Line 1 of `lines` is line 7 of the file. */
export const fullFeed = (lines) => feedYaml(`source: { type: local, dir: drop }\nformat: { type: csv }\n${lines}`);
export const indent = (text, by) => text
    .trim()
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');
export function onlyFeed(config) {
    const [feed] = config.feeds;
    if (feed === undefined || config.feeds.length !== 1)
        throw new Error(`${config.feeds.length} feeds`);
    return feed;
}
/** A folder with these files, for as long as `work` runs. */
export async function withFolder(files, work) {
    const folder = mkdtempSync(path.join(tmpdir(), 'tallyman-config-'));
    try {
        for (const [name, text] of Object.entries(files))
            writeFileSync(path.join(folder, name), text);
        return await work(folder);
    }
    finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
