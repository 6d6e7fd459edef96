import type { LoadJob } from '../../core/load.js';
import { isLocalUri } from '../../core/ledger/place.js';
import { quoteLiteral } from '../connect/identifiers.js';
import { integer, text, type Row } from '../connect/result-rows.js';
import { controlNames } from './control-schema.js';

/**
 * A load that this one takes the place of: its rows go when this one's come. Of a rejected one only the receipt and the
 * quarantine are left to settle.
 */
export interface ReplacedLoad {
  readonly loadId: number;
  /** As `loads.target` says: the feed may have had another table then. */
  readonly target: string;
  readonly status: string;
  /** Rows that it brought. */
  readonly rows: number;
}

/** Condition: receipts of the feed. */
const ofFeed = ({ feed }: LoadJob): string => `feed = ${quoteLiteral(feed.name)}`;

/** Condition: receipts of the feed and path. */
const ofPath = (job: LoadJob): string =>
  `${ofFeed(job)} AND path = ${quoteLiteral(job.file.path)} AND ${ofPlace([job])}`;

/**
 * Condition: whoever wrote the receipt saw the same place as we do. A local file is where its host and full path say, a
 * remote one where its URI says. What this data_dir wrote itself stays its own when the host, the folder or the server
 * has got another name since. Jobs are of one feed.
 */
function ofPlace(jobs: readonly LoadJob[]): string {
  const { host, instanceId } = jobs[0]!;
  const uris = jobs.map(({ file }) => file.uri);
  const listed = (some: readonly string[]): string => `file_uri IN (${some.map(quoteLiteral).join(', ')})`;
  const local = uris.filter(isLocalUri);
  const remote = uris.filter((uri) => !isLocalUri(uri));
  const places = [
    `instance_id = ${quoteLiteral(instanceId)}`,
    ...(local.length > 0 ? [`(host = ${quoteLiteral(host)} AND ${listed(local)})`] : []),
    ...(remote.length > 0 ? [listed(remote)] : []),
  ];
  return `(${places.join(' OR ')})`;
}

/** Conditions, each of which finds its index: receipts of files that were delivered as one of these, or hold it. */
const holding = (hashes: readonly string[]): readonly string[] => {
  const among = hashes.map(quoteLiteral).join(', ');
  return [`file_sha256 IN (${among})`, `content_sha256 IN (${among})`];
};

const loadsOf = ({ database }: LoadJob): string => controlNames(database.controlSchema).loads;

/**
 * SQL that reads which loads the job replaces (core/load.ts, ReplaceRule), and the path's earlier rejections, in order
 * of load_id. Each way is a branch of its own, so that each finds its index among millions of receipts. `hashes`: of
 * the delivered and the decoded bytes, as far as they are known.
 */
export function replacedSql(job: LoadJob, hashes: readonly string[]): string {
  const { replaces } = job;
  const keep = replaces.keep ?? [];
  const [feed, path] = [ofFeed(job), ofPath(job)];
  const kept = keep.length === 0 ? '' : ` AND load_id NOT IN (${keep.map(Number).join(', ')})`;
  const ways = [
    `${path} AND (status = 'cleared' OR (status = 'rejected'${kept}))`,
    ...(hashes.length === 0 ? [] : holding(hashes).map((held) => `${feed} AND ${held} AND status = 'cleared'`)),
    ...(replaces.path || replaces.firstOfPath === true ? [`${path} AND status = 'loaded'`] : []),
    ...(replaces.feed ? [`${feed} AND status = 'loaded'`] : []),
    ...(replaces.loadIds.length === 0
      ? []
      : [`load_id IN (${replaces.loadIds.map(Number).join(', ')}) AND status IN ('loaded', 'cleared', 'rejected')`]),
  ];
  const selects = ways.map((way) => `SELECT load_id, target, status, rows_loaded FROM ${loadsOf(job)} WHERE ${way}`);
  return `${selects.join(' UNION ')} ORDER BY load_id`;
}

export function toReplaced(rows: readonly Row[]): readonly ReplacedLoad[] {
  return rows.map((row) => ({
    loadId: integer(row, 'load_id'),
    target: text(row, 'target'),
    status: text(row, 'status'),
    rows: integer(row, 'rows_loaded'),
  }));
}

/**
 * Live loads of the path that are there although the decision was made without them: another data_dir made them. To be
 * asked of what replacedSql found.
 */
export function unforeseen({ replaces }: LoadJob, found: readonly ReplacedLoad[]): readonly number[] {
  if (replaces.firstOfPath !== true || replaces.path || replaces.feed) return [];
  return found
    .filter(({ loadId, status }) => status === 'loaded' && !replaces.loadIds.includes(loadId))
    .map(({ loadId }) => loadId);
}

/** SQL (`load_id`) for the path's earlier rejections of the very same content. */
export const sameRejectionsSql = (job: LoadJob, sha256: string | null): string =>
  `SELECT load_id FROM ${loadsOf(job)}
   WHERE ${ofPath(job)} AND status = 'rejected' AND file_sha256 = ${quoteLiteral(sha256 ?? '')}`;

/** SQL (`path`) for those paths of a group, of one feed, whose receipts a load of them would replace or must know. */
export function replacedPathsSql(jobs: readonly LoadJob[]): string {
  const one = jobs[0]!;
  const paths = jobs.map((job) => quoteLiteral(job.file.path)).join(', ');
  const first = jobs.filter(({ replaces }) => replaces.firstOfPath === true).map(({ file }) => quoteLiteral(file.path));
  const known = first.length === 0 ? '' : ` OR (status = 'loaded' AND path IN (${first.join(', ')}))`;
  return `SELECT DISTINCT path FROM ${loadsOf(one)} WHERE ${ofFeed(one)} AND path IN (${paths})
   AND ${ofPlace(jobs)} AND (status IN ('cleared', 'rejected')${known})`;
}

/** SQL that returns a row when a load of one of these contents would replace a cleared one. Jobs are of one feed. */
export function clearedContentSql(job: LoadJob, hashes: readonly string[]): string {
  const ways = holding(hashes).map(
    (held) => `(SELECT load_id FROM ${loadsOf(job)} WHERE ${ofFeed(job)} AND ${held} AND status = 'cleared' LIMIT 1)`,
  );
  return ways.join(' UNION ALL ');
}

/**
 * SQL (`load_id`) for live loads of files that were delivered as one of these, and of which the receipt does not say
 * what they hold: the unique index on content does not know them.
 */
export function liveUnpackedSql(job: LoadJob, hashes: readonly string[]): string {
  return `SELECT load_id FROM ${loadsOf(job)} WHERE ${ofFeed(job)} AND ${holding(hashes)[0]!}
   AND status = 'loaded' AND content_sha256 IS NULL AND NOT duplicate_allowed AND rows_read > 0`;
}
