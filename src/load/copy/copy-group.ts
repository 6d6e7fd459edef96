import { TallymanError } from '../../core/errors.js';
import type { RunningGroup } from '../running.js';
import { CopyStream } from './copy-stream.js';
import { append } from './copy-target.js';
import { copyQuarantine, proveQuarantined } from './quarantine-copy.js';

/** The rows of all files in one COPY, and their bad rows in another. */
export async function copyGroup(group: RunningGroup): Promise<void> {
  const { connection, members } = group;
  await copyRows(group);
  const refused = members.reduce((sum, member) => sum + member.record.count, 0);
  if (refused === 0) return;
  const { controlSchema } = members[0]!.job.database;
  const rows = Buffer.concat(members.map((member) => member.record.take()));
  proveQuarantined(await copyQuarantine(connection, controlSchema, rows), refused);
}

async function copyRows({ connection, target, out, members }: RunningGroup): Promise<void> {
  const accepted = members.reduce((sum, member) => sum + member.rows.loaded, 0);
  if (accepted === 0) return;
  append(out, target.trailer);
  const stream = new CopyStream(connection, target.sql);
  let copied: number;
  try {
    await stream.write(out.buf.subarray(0, out.pos));
    copied = await stream.finish();
  } catch (error) {
    await stream.abort('the group was given up');
    throw error;
  }
  if (copied !== accepted)
    throw new TallymanError('TALLY_MISMATCH', `${accepted} rows were sent, PostgreSQL took ${copied}`);
}
