// Landing throughput of SFTP and S3 drops, as bench/landing.mjs measures it.
import { landing } from '../landing.mjs';
import { claim } from '../report.mjs';

export const about = "landing: SFTP against sftp's own get, S3 against a plain GetObject";

const BYTES = 500_000_000;
const PEERS = { sftp: 'SFTP: landing speed of `sftp` get', s3: 'S3: landing speed of a plain GetObject to disk' };

export async function run(bench) {
  const found = await landing(bench.rounds, Math.round(BYTES * bench.scale), (name, who, round, speed) =>
    bench.log(`${round === 0 ? 'warm-up' : `round ${round}`} ${name} ${who} ${speed.toFixed(0)} MB/s`),
  );
  const claims = [];
  const notes = [];
  for (const [name, what] of Object.entries(PEERS)) {
    const { missing, ours, theirs, ratio } = found[name];
    if (missing !== undefined) notes.push(`${name}: left out, ${missing}`);
    else
      claims.push(
        claim(what, ratio, { aim: 0.9, better: 'higher' }),
        claim(`${name}: landing`, ours, { unit: 'MB/s' }),
        claim(`${name}: the other way`, theirs, { unit: 'MB/s' }),
      );
  }
  return { title: 'Landing', claims, notes };
}
