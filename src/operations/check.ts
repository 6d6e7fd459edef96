import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/config.js';
import { ConfigError, type Problem } from '../config/problems/problem.js';
import type { DatabaseSpec } from '../core/database.js';
import { TallymanError, type ErrorCode } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Receipts } from '../core/receipts.js';
import type { Source } from '../core/source.js';
import { renamedFeeds } from '../flow/renamed-feeds.js';
import { databaseEncoding } from '../postgres/connect/connect.js';
import { patternMeanings, type PatternMeaning } from './pattern-meanings.js';
import { checkStaging } from '../postgres/staging/check-staging.js';

interface CheckParts {
  readonly config: Pick<Config, 'feeds' | 'warnings' | 'written' | 'unsetSecrets'>;
  readonly dataDir: string;
  ledger(): Pick<Surroundings, 'feeds'>;
  receipts(): Promise<Pick<Receipts, 'databaseId'>>;
  database(): Promise<DatabaseSpec>;
  source(feed: FeedSpec): Pick<Source, 'probe' | 'close'>;
}

/** A config that cannot be read has mistakes; one that can may still not fit what it speaks of. */
export type CheckDocument =
  | { readonly ok: false; readonly problems: readonly Problem[] }
  | {
      readonly ok: boolean;
      readonly problems: readonly Finding[];
      readonly warnings: readonly Problem[];
      /** What each glob of `pattern` and `ignore` does. */
      readonly patterns: readonly PatternMeaning[];
    };

/** The same shape as a mistake in the file, without a place in it. */
export interface Finding {
  readonly file: '';
  readonly line: 0;
  readonly column: 0;
  readonly key: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/**
 * Is the config right? With `connect`: does every source and the database answer, do tables and rights do? `parts`
 * reads the config and throws what it throws.
 */
export async function check(parts: () => CheckParts, input: { readonly connect: boolean }): Promise<CheckDocument> {
  let known: CheckParts;
  try {
    known = parts();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, problems: error.problems };
  }
  const names = await feedNames(known);
  const found = input.connect ? await connect(known) : { problems: [], warnings: [] };
  const problems = [...names, ...found.problems];
  const warnings = [...known.config.warnings, ...known.config.unsetSecrets, ...found.warnings];
  return { ok: problems.length === 0, problems, warnings, patterns: patternMeanings(known.config) };
}

const finding = (key: string, code: ErrorCode, message: string, hint: string): Finding => ({
  file: '',
  line: 0,
  column: 0,
  key,
  code,
  message,
  hint,
});

/** A feed that goes on under a new name must say so; only the ledger, where there is one, knows the old ones. */
async function feedNames(parts: CheckParts): Promise<readonly Finding[]> {
  if (!existsSync(path.join(parts.dataDir, 'ledger.db'))) return [];
  try {
    renamedFeeds(parts.config.feeds, await parts.ledger().feeds());
    return [];
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error;
    return [finding('feeds', error.code, error.message, error.fix)];
  }
}

/** Reaches everything that a run would need, and goes on after a failure so that all are reported at once. */
async function connect(
  parts: CheckParts,
): Promise<{ readonly problems: readonly Finding[]; readonly warnings: readonly Problem[] }> {
  const warnings: Problem[] = [];
  const findings: Finding[] = [];
  const attempt = async (key: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const known = TallymanError.of(error);
      findings.push(finding(key, known.code, known.message, known.fix));
    }
  };
  for (const feed of parts.config.feeds)
    await attempt(`feeds.${feed.name}.source`, async () => {
      for (const message of await probe(parts, feed))
        findings.push(finding(`feeds.${feed.name}.source`, 'SOURCE_UNREACHABLE', message, ''));
    });
  const before = findings.length;
  await attempt('database', async () => {
    await (await parts.receipts()).databaseId();
  });
  if (findings.length === before) {
    const database = await parts.database();
    await attempt('database', async () => {
      warnings.push(...encodingWarning(await databaseEncoding(database)));
    });
    for (const feed of parts.config.feeds)
      await attempt(`feeds.${feed.name}.target`, () => checkStaging(database, feed.target, feed.columns));
  }
  return { problems: findings, warnings };
}

function encodingWarning(encoding: string | null): readonly Problem[] {
  if (encoding === null) return [];
  return [
    {
      file: '',
      line: 0,
      column: 0,
      key: 'database',
      code: 'DATABASE_ENCODING',
      message: `the database is in ${encoding}: rows with other characters are refused, file names and messages in receipts and quarantine show them as escapes.`,
      hint: 'A database in UTF8 holds every character.',
    },
  ];
}

async function probe(parts: CheckParts, feed: FeedSpec): Promise<readonly string[]> {
  const kinds = [feed.after.loaded, feed.after.rejected, feed.after.duplicate].map((action) => action.kind);
  const source = parts.source(feed);
  try {
    return await source.probe({
      delete: kinds.includes('delete'),
      move: kinds.includes('move'),
      tag: kinds.includes('tag'),
    });
  } finally {
    await source.close();
  }
}
