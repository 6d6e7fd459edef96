import { randomBytes } from 'node:crypto';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { SftpChannel } from './channel.js';
import type { SftpRoot } from './root.js';
import { PRIVATE_PREFIX } from '../common/selection.js';

/**
 * What stands in the way of an SFTP feed, for `check --connect`: reach, host key, login, folder, reading, and the
 * rights that the feed asks for. Each is tried for real.
 */
export async function probeServer(
  root: SftpRoot,
  rights: { readonly delete: boolean; readonly move: boolean },
): Promise<readonly string[]> {
  let channel: SftpChannel;
  try {
    channel = await root.connection.control();
    await root.prove(channel);
  } catch (error) {
    // The line to pin stands in the fix.
    return [
      error instanceof TallymanError && error.code === 'HOST_KEY_MISMATCH'
        ? `${error.message}. ${error.fix}`
        : messageOf(error),
    ];
  }
  const unreadable = await tryReading(root, channel);
  if (unreadable !== null) return [unreadable];
  if (!rights.delete && !rights.move) return [];
  const verb = rights.move ? 'move' : 'delete';
  const name = root.join(`${PRIVATE_PREFIX}probe-${randomBytes(6).toString('hex')}`);
  try {
    await channel.close(await channel.create(name));
    await channel.rename(name, `${name}-renamed`);
    await channel.unlink(`${name}-renamed`);
    return [];
  } catch (error) {
    return [
      `${root.name}: after asks to ${verb} files, but names in it cannot be changed (${messageOf(error)}); give the login the right to write in it`,
    ];
  }
}

/** Lists, and opens the first file that it sees. */
async function tryReading(root: SftpRoot, channel: SftpChannel): Promise<string | null> {
  try {
    const folder = await channel.opendir(root.dir);
    const entries = (await channel.readdir(folder)) ?? [];
    await channel.close(folder);
    const file = entries.find(
      (entry) => entry.attrs.kind === 'file' && !entry.name.includes('\uFFFD') && !entry.name.includes('/'),
    );
    if (file !== undefined) await channel.close(await channel.open(root.join(file.name)));
    return null;
  } catch (error) {
    return `${root.name}: it cannot be listed or its files cannot be read (${messageOf(error)}); give the login the right`;
  }
}
