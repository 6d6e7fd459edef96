import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import type { FileReport } from '../../src/core/report.js';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import { dryRun } from '../../src/operations/dry-run.js';
import type { ColumnDraft, FeedDraft } from '../../src/infer/draft/draft.js';
import { inferFeed } from '../../src/infer/infer.js';
import { feedYaml } from '../../src/infer/draft/yaml.js';
import { checkFile } from '../../src/load/dry-run.js';
import { DECODERS, FORMATS } from '../../src/registry.js';
import { onlyFeed, parse, REGISTERED } from '../config/support.js';

/** The real files that no one here wrote (NOTE.md beside them says what is right). */
export const DATA = path.resolve(import.meta.dirname, '../../../shared/data');

const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-infer-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Writes a file into the folder of this test file; returns its path. */
export function put(name: string, content: string | Buffer): string {
  const file = path.join(dir, name);
  writeFileSync(file, content);
  return file;
}

export async function inferFiles(files: readonly string[], sampleBytes = 8 * 1024 * 1024): Promise<FeedDraft> {
  return await inferFeed(files, { formats: FORMATS, decoders: DECODERS }, { name: 'probe', sampleBytes, base: dir });
}

export async function inferText(
  content: string | Buffer,
  name = 'probe.csv',
  sampleBytes?: number,
): Promise<FeedDraft> {
  return await inferFiles([put(name, content)], sampleBytes);
}

/** `name type` and what else reads the column: `day date %d/%m/%Y`. */
export function columnWords({ name, guess }: ColumnDraft): string {
  const { type, formats = [], locale, decimal, thousands, negative, currency, percent, round } = guess;
  return [
    name,
    type,
    ...formats,
    ...(locale === undefined ? [] : [`locale=${locale}`]),
    ...(decimal === undefined ? [] : [`decimal=${decimal}`]),
    ...(thousands === undefined ? [] : [`thousands=${thousands}`]),
    ...(negative === undefined ? [] : [`negative=${negative.join('+')}`]),
    ...(currency === undefined ? [] : [`currency=${currency.join('+')}`]),
    ...(percent === undefined ? [] : [`percent=${percent}`]),
    ...(round === undefined ? [] : ['round']),
  ].join(' ');
}

export const typesOf = (draft: FeedDraft): readonly string[] => draft.columns.map(columnWords);

export const doubtsOf = (draft: FeedDraft, name: string): string =>
  draft.columns.find((column) => column.name === name)?.doubts.join('; ') ?? '';

/** The printed YAML under `feeds:` of a config, as the program reads it. */
export function asConfigured(draft: FeedDraft): FeedSpec {
  return onlyFeed(
    parse(`version: 1\ndatabase: { embedded: true }\nfeeds:\n${feedYaml(draft)}`, { parts: REGISTERED, base: dir }),
  );
}

/** Reads the file with the feed that was printed, as `load --dry-run` does. */
export async function readBack(draft: FeedDraft, file: string): Promise<FileReport> {
  return await readBackAs(asConfigured(draft), file);
}

export async function readBackAs(feed: FeedSpec, file: string): Promise<FileReport> {
  const hooks = {
    formats: FORMATS,
    decoders: DECODERS,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
  return await dryRun({ dataDir: dir, check: (job) => checkFile(job, hooks) }, feed, file);
}

/** infer, paste, read: what came of it. */
export async function roundTrip(file: string): Promise<{
  readonly draft: FeedDraft;
  readonly rows: FileReport['rows'];
  readonly error: FileReport['error'];
  readonly errors: FileReport['errors'];
  readonly drift: FileReport['drift'];
}> {
  const draft = await inferFiles([file]);
  const { rows, error, errors, drift } = await readBack(draft, file);
  return { draft, rows, error, errors, drift };
}
