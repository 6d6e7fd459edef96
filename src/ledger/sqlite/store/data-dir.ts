import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { hasCode } from '../../../base/errno.js';
import { messageOf, TallymanError } from '../../../core/errors.js';

/** Everybody but the owner. */
const OTHERS = 0o077;
const WRITABLE_BY_ALL = 0o002;
/** Folders whose content is put right with them, when data_dir itself stood open. */
const KEPT = ['landing', 'work', 'claims'];
/** What is written to by its name: a file of its own, whatever else may be a link. */
const FILES = /^(ledger\.db(-wal|-shm|-journal)?|tallyman\.(lock|pid)|instance-id)$/;

/**
 * Makes data_dir (0700) when it is missing, and puts right what is there: rows of customers, passwords and locks are in
 * it. Folders become 0700 and files 0600; where that cannot be done, or where a name in it leads elsewhere, it is
 * refused. Throws LEDGER_UNUSABLE and DISK_FULL.
 */
export function openDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir);
    const stood = statSync(dataDir);
    ownFolder(dataDir, stood);
    putRight(dataDir, (stood.mode & OTHERS) !== 0);
  } catch (error) {
    if (error instanceof TallymanError) throw error;
    if (hasCode(error, 'ENOSPC', 'EDQUOT'))
      throw new TallymanError('DISK_FULL', `data_dir ${dataDir}: ${messageOf(error)}`, { cause: error });
    throw new TallymanError('LEDGER_UNUSABLE', `data_dir ${dataDir} cannot be used: ${messageOf(error)}`, {
      cause: error,
      fix: 'Choose a data_dir that the user who runs tallyman may write to.',
    });
  }
}

/**
 * One level at a time: Node's recursive mkdir never ends where the kernel answers ENOENT for a folder whose parent is
 * there (/proc).
 */
function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  makeFolder(path.dirname(dir));
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    // Another process was first.
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

/**
 * A folder of root's that its group may use is what a container gets as a volume; the files in it are ours alone all
 * the same.
 */
function ownFolder(dir: string, stats: Stats): void {
  const self = process.getuid?.() ?? stats.uid;
  if (stats.uid === self || self === 0) {
    if ((stats.mode & OTHERS) !== 0) chmodSync(dir, 0o700);
    return;
  }
  if (stats.uid !== 0)
    throw new TallymanError(
      'LEDGER_UNUSABLE',
      `data_dir ${dir} belongs to user ${stats.uid}, and this is user ${self}.`,
      {
        fix: `Run tallyman as that user, choose another data_dir, or: chown -R ${self} ${dir}`,
      },
    );
  if ((stats.mode & WRITABLE_BY_ALL) !== 0)
    throw new TallymanError('LEDGER_UNUSABLE', `data_dir ${dir} is root's and everybody may write to it.`, {
      fix: `Set data_dir to a folder within it, which tallyman makes for itself, or: chown ${self} ${dir}`,
    });
}

function putRight(dir: string, deep: boolean): void {
  const self = process.getuid?.() ?? 0;
  for (const name of readdirSync(dir)) {
    const file = path.join(dir, name);
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    const isTrusted = stats.uid === self || stats.uid === 0;
    if (FILES.test(name) ? !stats.isFile() : stats.isSymbolicLink() && !isTrusted)
      throw new TallymanError(
        'LEDGER_UNUSABLE',
        `${file} is ${stats.isSymbolicLink() ? 'a symbolic link' : 'no file'}: nothing is written through it.`,
        { fix: 'Look who made it, then take it away.' },
      );
    // The server of the embedded database has a user of its own and keeps its folder itself.
    if (stats.isSymbolicLink() || name === 'postgres') continue;
    if ((stats.mode & OTHERS) !== 0 && (stats.uid === self || self === 0))
      chmodSync(file, stats.isDirectory() ? 0o700 : 0o600);
    if (deep && stats.isDirectory() && KEPT.includes(name)) putRight(file, false);
  }
}
