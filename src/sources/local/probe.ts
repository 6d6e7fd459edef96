import { open, rename, unlink } from 'node:fs/promises';
import process from 'node:process';
import { messageOf } from '../../core/errors.js';
import type { LocalRoot } from './root.js';
import { PRIVATE_PREFIX } from '../common/selection.js';

/**
 * What stands in the way of a local feed, for `check --connect`. Rights are tried, not read off: mode bits say nothing
 * of access lists or read-only mounts.
 */
export async function probeFolder(
  root: LocalRoot,
  rights: { readonly delete: boolean; readonly move: boolean },
): Promise<readonly string[]> {
  let sticky: boolean;
  try {
    const { stats } = await root.look();
    const uid = BigInt(process.geteuid?.() ?? 0);
    sticky = (stats.mode & 0o1000n) !== 0n && uid !== 0n && stats.uid !== uid;
  } catch (error) {
    return [messageOf(error)];
  }
  if (!rights.delete && !rights.move) return [];
  const verb = rights.move ? 'move' : 'delete';
  const findings: string[] = [];
  if (sticky)
    findings.push(
      `folder ${root.dir} has the sticky bit: only the owner of a file may ${verb} it (chmod -t, or let tallyman run as their owner)`,
    );
  const name = root.join(Buffer.from(`${PRIVATE_PREFIX}probe-${process.pid}`));
  const renamed = root.join(Buffer.from(`${PRIVATE_PREFIX}probed-${process.pid}`));
  try {
    const handle = await open(name, 'w', 0o600);
    await handle.close();
    await rename(name, renamed);
    await unlink(renamed);
  } catch (error) {
    findings.push(
      `folder ${root.dir}: after asks to ${verb} files, but names in it cannot be changed (${messageOf(error)}); give the user that runs tallyman the right to write in it`,
    );
  }
  return findings;
}
