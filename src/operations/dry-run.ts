import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DatabaseSpec } from '../core/database.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import { NO_ROWS, toldDrift, type FileReport } from '../core/report.js';
import { withChangedContract } from '../flow/contract-advice.js';
import { readBeside } from '../intake/beside.js';
import { workDirOf } from '../load/progress.js';
import { direct } from '../sources/local/direct.js';
import { namedFile } from './named-file.js';
import { decodeName, encodeName } from '../sources/common/path-name.js';

/** `load --dry-run` uses no database; the job's place for one is filled with nothing. */
const NO_DATABASE: DatabaseSpec = {
  host: '',
  port: 0,
  user: '',
  password: null,
  database: '',
  sslmode: 'disable',
  tls: { ca: null, cert: null, key: null },
  applicationName: 'tallyman',
  connectTimeoutMs: 0,
  controlSchema: '',
};

interface DryRunParts {
  readonly dataDir: string;
  /** Reads and checks in a worker thread. */
  check(job: LoadJob): Promise<LoadResult>;
}

/** Local files of one feed, each read and checked; one wrong name among them, and none is read. */
export async function* dryRunFiles(
  parts: DryRunParts & { feed(name: string): FeedSpec },
  input: { readonly feed: string; readonly files: readonly string[] },
  signal: AbortSignal,
): AsyncIterable<FileReport> {
  const feed = parts.feed(input.feed);
  for (const file of await Promise.all(input.files.map(namedFile))) {
    if (signal.aborted) return;
    yield await dryRun(parts, feed, file);
  }
}

/**
 * Reads and checks one file as a load would, writes nothing. The report's state is `checked`, whatever was found; what
 * would reject the file stands in `error`.
 */
export async function dryRun(parts: DryRunParts, feed: FeedSpec, file: string): Promise<FileReport> {
  const began = new Date();
  const name = encodeName(Buffer.from(file));
  const seen = await direct.stat(name);
  if (seen === null) throw new TallymanError('NOT_FOUND', `${file}: there is no such file`);
  const local = direct.localPath(name);
  const bytes = decodeName(local ?? name);
  const localPath = bytes.toString();
  const beside = await readBeside(feed, direct, { file: seen, movedTo: null, suffix: '' });
  const result = await parts.check({
    loadKey: '',
    instanceId: '',
    host: '',
    fileId: 0,
    feed,
    database: NO_DATABASE,
    workDir: workDirOf(parts.dataDir),
    file: {
      path: name,
      uri: direct.uri(name),
      localPath,
      localPathHex: bytes.equals(Buffer.from(localPath)) ? null : bytes.toString('hex'),
      size: seen.size,
      mtimeUs: seen.mtimeUs,
      version: seen.version,
      inPlace: true,
      sha256: null,
    },
    manifest: beside.manifest,
    beside: beside.said,
    generation: 1,
    duplicateAllowed: false,
    replaces: { loadIds: [], path: false, feed: false },
  });
  return {
    message_type: 'file',
    file_id: 0,
    feed: feed.name,
    uri: direct.uri(name),
    path: name,
    size: seen.size,
    mtime: seen.mtimeUs === null ? null : new Date(seen.mtimeUs / 1_000).toISOString(),
    state: 'checked',
    attempts: 0,
    load_id: null,
    duplicate_of: null,
    generation: 1,
    ...found(result, feed),
    discovered_at: began.toISOString(),
    finished_at: new Date().toISOString(),
    seconds: { settle: 0, land: 0, load: 'seconds' in result ? result.seconds : 0 },
  };
}

function found(
  result: LoadResult,
  feed: FeedSpec,
): Pick<
  FileReport,
  'sha256' | 'content_sha256' | 'rows' | 'errors' | 'error' | 'drift' | 'lines_skipped' | 'rows_skipped'
> {
  switch (result.outcome) {
    case 'checked':
    case 'loaded':
    case 'rejected':
      return {
        sha256: result.sha256,
        content_sha256: result.contentSha256 ?? null,
        rows: result.rows,
        errors: result.errors,
        ...toldDrift(result.drift),
        error:
          result.outcome === 'loaded' || result.error === null
            ? null
            : withChangedContract(result.error, feed, result.drift),
      };
    case 'changed':
    case 'vanished':
      return {
        sha256: null,
        content_sha256: null,
        rows: NO_ROWS,
        errors: [],
        ...toldDrift([]),
        error: new TallymanError(
          result.outcome === 'changed' ? 'FILE_CHANGED' : 'FILE_VANISHED',
          result.message,
        ).reported(),
      };
    case 'known-path':
    case 'known-content':
      throw new TallymanError('INTERNAL', 'a dry run knows of no other loads');
    case 'lost-race':
      return { sha256: result.sha256, content_sha256: null, rows: NO_ROWS, errors: [], ...toldDrift([]), error: null };
    case 'unreachable':
    case 'misfit':
    case 'unknown':
    case 'failed':
      return { sha256: null, content_sha256: null, rows: NO_ROWS, errors: [], ...toldDrift([]), error: result.error };
  }
}
