import type { LoadJob } from '../../core/load.js';
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
}

/** Condition: receipts of the feed. */
const ofFeed = ({ feed }: LoadJob): string => `feed = ${quoteLiteral(feed.name)}`;

/** Condition: receipts of the feed and path. Paths belong to an instance: on another host it is another file. */
const ofPath = (job: LoadJob): string =>
  `${ofFeed(job)} AND path = ${quoteLiteral(job.file.path)} AND instance_id = ${quoteLiteral(job.instanceId)}`;

const loadsOf = ({ database }: LoadJob): string => controlNames(database.controlSchema).loads;

/**
 * SQL that reads which loads the job replaces (core/load.ts, ReplaceRule), and the path's earlier rejections, in order
 * of load_id. Each way is a branch of its own, so that each finds its index among millions of receipts. `sha256`: null
 * when it is not known yet.
 */
export function replacedSql(job: LoadJob, sha256: string | null): string {
  const { replaces } = job;
  const keep = replaces.keep ?? [];
  const [feed, path] = [ofFeed(job), ofPath(job)];
  const kept = keep.length === 0 ? '' : ` AND load_id NOT IN (${keep.map(Number).join(', ')})`;
  const ways = [
    `${path} AND (status = 'cleared' OR (status = 'rejected'${kept}))`,
    ...(sha256 === null ? [] : [`${feed} AND file_sha256 = ${quoteLiteral(sha256)} AND status = 'cleared'`]),
    ...(replaces.path ? [`${path} AND status = 'loaded'`] : []),
    ...(replaces.feed ? [`${feed} AND status = 'loaded'`] : []),
    ...(replaces.loadIds.length === 0
      ? []
      : [`load_id IN (${replaces.loadIds.map(Number).join(', ')}) AND status IN ('loaded', 'cleared', 'rejected')`]),
  ];
  const selects = ways.map((way) => `SELECT load_id, target, status FROM ${loadsOf(job)} WHERE ${way}`);
  return `${selects.join(' UNION ')} ORDER BY load_id`;
}

export function toReplaced(rows: readonly Row[]): readonly ReplacedLoad[] {
  return rows.map((row) => ({
    loadId: integer(row, 'load_id'),
    target: text(row, 'target'),
    status: text(row, 'status'),
  }));
}

/** SQL (`load_id`) for the path's earlier rejections of the very same content. */
export const sameRejectionsSql = (job: LoadJob, sha256: string | null): string =>
  `SELECT load_id FROM ${loadsOf(job)}
   WHERE ${ofPath(job)} AND status = 'rejected' AND file_sha256 = ${quoteLiteral(sha256 ?? '')}`;

/** SQL (`path`) for those paths of a group, of one feed and instance, whose receipts a load of them would replace. */
export function replacedPathsSql(jobs: readonly LoadJob[]): string {
  const one = jobs[0]!;
  const paths = jobs.map((job) => quoteLiteral(job.file.path)).join(', ');
  return `SELECT DISTINCT path FROM ${loadsOf(one)} WHERE ${ofFeed(one)} AND path IN (${paths})
   AND instance_id = ${quoteLiteral(one.instanceId)} AND status IN ('cleared', 'rejected')`;
}

/** SQL that gives a row when a load of one of these contents would replace a cleared one. Jobs are of one feed. */
export function clearedContentSql(job: LoadJob, hashes: readonly string[]): string {
  const among = hashes.map(quoteLiteral).join(', ');
  return `SELECT load_id FROM ${loadsOf(job)}
   WHERE ${ofFeed(job)} AND file_sha256 IN (${among}) AND status = 'cleared' LIMIT 1`;
}
