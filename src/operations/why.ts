import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.js';
import { messageOf, TallymanError } from '../core/errors.js';
import { standsAs, type FileEntry } from '../core/entry.js';
import type { FeedSpec } from '../core/feed/feed.js';
import { sameVersion, type SeenFile } from '../core/file.js';
import type { Queue } from '../core/ledger/queue.js';
import type { Source } from '../core/source.js';
import { formatDuration } from '../base/units.js';
import { ready } from '../intake/ready.js';
import { encodeName } from '../sources/common/path-name.js';
import { nameSteps } from '../sources/common/name-verdict.js';

interface WhyParts {
  readonly dataDir: string;
  readonly config: Pick<Config, 'written'>;
  /** The feeds of these names, null = all. Throws UNKNOWN_FEED. */
  feeds(names: readonly string[] | null): readonly FeedSpec[];
  ledger(): Pick<Queue, 'versions'>;
  source(feed: FeedSpec): Source;
}

interface WhyInput {
  /** A local path, the uri of a remote file, or a name inside a feed. */
  readonly path: string;
  /** null = every feed that could see it. */
  readonly feed: string | null;
  /** Folder that a relative path is taken from. */
  readonly cwd: string;
}

/** One question that a file is asked on its way, in their order. */
export interface WhyStep {
  readonly step:
    'folder' | 'pattern' | 'ignore' | 'marker' | 'moved' | 'there' | 'settle' | 'ready' | 'ledger' | 'decision';
  /** False = here its way ends, or waits. */
  readonly ok: boolean;
  readonly says: string;
}

export interface WhyItem {
  readonly feed: string;
  /** The file as the feed names it. */
  readonly path: string;
  /** True when the feed would load it, or did. */
  readonly taken: boolean;
  /** In one sentence. */
  readonly verdict: string;
  readonly steps: readonly WhyStep[];
}

export interface WhyDocument {
  readonly path: string;
  readonly items: readonly WhyItem[];
}

/** What would happen to a path and why, feed by feed, without doing it: only names, sizes and markers are looked at. */
export async function why(parts: WhyParts, input: WhyInput, now: Date): Promise<WhyDocument> {
  const feeds = parts.feeds(input.feed === null ? null : [input.feed]);
  const items: WhyItem[] = [];
  for (const feed of feeds) {
    const source = parts.source(feed);
    try {
      const inside = pathWithin(feed, source, input);
      if (inside !== null) items.push(await ask(parts, feed, source, inside, now));
    } finally {
      await source.close();
    }
  }
  return { path: input.path, items };
}

/** The path as the feed names it; null = it cannot be one of its files. */
function pathWithin(feed: FeedSpec, source: Source, { path: said, feed: asked, cwd }: WhyInput): string | null {
  const { dir } = feed.source.options;
  if (feed.source.type === 'local' && typeof dir === 'string') {
    const relative = path.relative(dir, said.startsWith('file://') ? fileURLToPath(said) : path.resolve(cwd, said));
    if (relative !== '' && relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative))
      return relative
        .split(path.sep)
        .map((part) => encodeName(Buffer.from(part)))
        .join('/');
  }
  if (said.includes('://') && feed.source.type !== 'local') {
    const root = source.uri('');
    return said.startsWith(root) && said.length > root.length
      ? decodeURI(said.slice(root.length).replace(/^\//, ''))
      : null;
  }
  // A bare name is one inside the feed: always when the feed is named, else in feeds that are no folder of this host.
  if (said.includes('://') || path.isAbsolute(said)) return null;
  return asked !== null || feed.source.type !== 'local' ? said : null;
}

async function ask(parts: WhyParts, feed: FeedSpec, source: Source, file: string, now: Date): Promise<WhyItem> {
  const steps: WhyStep[] = [...nameSteps(feed.source, file, parts.config.written.get(feed.name)?.patterns ?? [])];
  const item = (taken: boolean, verdict: string): WhyItem => ({ feed: feed.name, path: file, taken, verdict, steps });
  const out = steps.find(({ ok }) => !ok);
  if (out !== undefined) return item(false, `is not taken: ${out.says}`);
  const seen = await look(source, file);
  steps.push(seen.step);
  const known = await newest(parts, feed, file);
  if (seen.file === null) {
    if (known !== null) steps.push(ledgerStep(known, null));
    return item(
      (known?.liveLoadId ?? null) !== null,
      known === null ? seen.step.says : `${seen.step.says}; ${stateOf(known)}`,
    );
  }
  if (known !== null && (sameVersion(standsAs(known), seen.file) || sameVersion(known.file, seen.file))) {
    steps.push(ledgerStep(known, seen.file));
    return item(known.liveLoadId !== null, stateOf(known));
  }
  steps.push(settleStep(feed, seen.file, now));
  if (feed.source.ready.kind !== 'always' || feed.source.checksum !== undefined) {
    const readiness = await ready(feed.source, source, seen.file, known?.marker ?? null);
    steps.push({
      step: 'ready',
      ok: readiness.ready,
      says: readiness.ready ? 'its marker is there' : readiness.reason,
    });
    if (!readiness.ready) return item(false, `waits: ${readiness.reason}`);
  }
  steps.push(ledgerStep(known, seen.file), decisionStep(feed, known));
  return item(true, `would be read: ${decisionStep(feed, known).says}`);
}

/** What the ledger knows of the path; where there is no ledger none is made. */
async function newest(parts: WhyParts, feed: FeedSpec, file: string): Promise<FileEntry | null> {
  if (!existsSync(path.join(parts.dataDir, 'ledger.db'))) return null;
  const [entry] = await parts.ledger().versions(feed.name, file, 1);
  return entry ?? null;
}

async function look(source: Source, file: string): Promise<{ readonly file: SeenFile | null; readonly step: WhyStep }> {
  try {
    const seen = await source.stat(file);
    if (seen === null) return { file: null, step: { step: 'there', ok: false, says: 'there is no such file' } };
    return { file: seen, step: { step: 'there', ok: true, says: `it is there, ${seen.size} bytes` } };
  } catch (error) {
    if (!(error instanceof TallymanError) || error.code !== 'FILE_NOT_TAKEN') throw error;
    return { file: null, step: { step: 'there', ok: false, says: messageOf(error) } };
  }
}

function settleStep(feed: FeedSpec, file: SeenFile, now: Date): WhyStep {
  const { settleMs } = feed.source;
  const ageMs = file.mtimeUs === null ? null : now.getTime() - file.mtimeUs / 1_000;
  const wanted = `it must be seen unchanged for ${formatDuration(settleMs)}`;
  const changed =
    ageMs === null || ageMs < 0 ? '' : `; it changed ${formatDuration(Math.round(ageMs / 1_000) * 1_000)} ago`;
  return { step: 'settle', ok: settleMs === 0 || (ageMs !== null && ageMs >= settleMs), says: `${wanted}${changed}` };
}

function ledgerStep(entry: FileEntry | null, seen: SeenFile | null): WhyStep {
  if (entry === null) return { step: 'ledger', ok: true, says: 'no version of this path is known' };
  const same = seen !== null && (sameVersion(standsAs(entry), seen) || sameVersion(entry.file, seen));
  const which = same ? 'this version is known' : 'another version of this path is known';
  return { step: 'ledger', ok: !same, says: `${which}: file ${entry.fileId}, ${entry.state}` };
}

function stateOf(entry: FileEntry): string {
  const error = entry.error === null ? '' : ` (${entry.error.code}: ${entry.error.message})`;
  return `file ${entry.fileId} is ${entry.state}${error}; see tallyman files show ${entry.fileId}`;
}

/** Content is not read here: what the bytes decide is said as the rule. */
function decisionStep(feed: FeedSpec, entry: FileEntry | null): WhyStep {
  const duplicate = `bytes that are loaded already: on_duplicate ${feed.onDuplicate}`;
  const says =
    entry === null
      ? `a new file is loaded (${duplicate})`
      : `new content under a known path: on_changed ${feed.onChanged} (${duplicate})`;
  return { step: 'decision', ok: true, says };
}
