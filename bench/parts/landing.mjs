// Landing throughput of SFTP and S3 drops; measured by bench/landing.mjs, where this checkout has it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export const about = "landing: SFTP against sftp's own get, S3 against a plain GetObject";

const FILE = path.join(import.meta.dirname, '..', 'landing.mjs');

export async function run(bench) {
  if (!existsSync(FILE)) return { title: 'Landing', claims: [], notes: ['bench/landing.mjs is not there: left out'] };
  const { landing } = await import(pathToFileURL(FILE).href);
  return await landing(bench);
}
