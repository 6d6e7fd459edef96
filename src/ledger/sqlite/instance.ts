import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import { TallymanError } from '../../core/errors.js';
import { hasCode } from '../../base/errno.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The id of this data_dir, made once. In a file of its own and not in the ledger: when the ledger is lost, the receipts
 * in PostgreSQL that carry this id are still ours. Written whole or not at all; of two processes that start at once,
 * both get the same.
 */
export function instanceId(dataDir: string): string {
  const file = path.join(dataDir, 'instance-id');
  const known = read(file);
  if (known !== null) return known;
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    try {
      writeSync(fd, `${randomUUID()}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(temporary, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    unlinkSync(temporary);
  }
  syncFolder(dataDir);
  const made = read(file);
  if (made === null) throw damaged(file);
  return made;
}

function read(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  if (!UUID.test(text)) throw damaged(file);
  return text;
}

function syncFolder(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const damaged = (file: string): TallymanError =>
  new TallymanError('LEDGER_UNUSABLE', `${file} does not hold an instance id.`, {
    fix: 'Write the instance_id that stands in the newest own row of tallyman.loads into it, or delete it if nothing was ever loaded from this data_dir.',
  });
