import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type pg from 'pg';
import { inject } from 'vitest';
import { workspace, type Workspace } from '../../support/cli.js';
import { connect, createDatabase } from '../../support/postgres.js';

export interface Base {
  readonly ws: Workspace;
  /**
   * Workspace and database as they were when the base was taken. Returns a connection to the fresh database; the one
   * before is closed.
   */
  fresh(): Promise<pg.Client>;
  remove(): Promise<void>;
}

/**
 * One state of data_dir, drop and database, to which each try goes back: the folder is copied, the database made from a
 * template.
 */
export async function takeBase(
  feeds: Readonly<Record<string, Record<string, unknown>>>,
  top: Readonly<Record<string, unknown>>,
  prepare: (client: pg.Client, ws: Workspace) => Promise<void>,
): Promise<Base> {
  const db = await createDatabase();
  const ws = workspace(db.url, feeds, top);
  await prepare(db.client, ws);
  const admin = await connect(inject('postgresUrl'));
  // A template takes no connections while it is copied; ours would be one.
  await db.client.end();
  const template = `${db.name}_base`;
  await admin.query(`alter database ${db.name} rename to ${template}`);
  const kept = mkdtempSync(path.join(tmpdir(), 'tallyman-base-'));
  cpSync(ws.dir, kept, { recursive: true, preserveTimestamps: true });
  let client: pg.Client | null = null;
  const dropTry = async (): Promise<void> => {
    await client?.end();
    client = null;
    await admin.query(`drop database if exists ${db.name} with (force)`);
  };
  return {
    ws,
    async fresh() {
      await dropTry();
      await admin.query(`create database ${db.name} template ${template} strategy file_copy`);
      rmSync(ws.dir, { recursive: true, force: true });
      cpSync(kept, ws.dir, { recursive: true, preserveTimestamps: true });
      client = await connect(db.url);
      return client;
    },
    async remove() {
      await dropTry();
      await admin.query(`drop database if exists ${template}`);
      await admin.end();
      ws.remove();
      rmSync(kept, { recursive: true, force: true });
    },
  };
}
