import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { ConfigError, problemLine, type Problem } from '../config/problems/problem.js';
import type { Config } from '../config/config.js';
import { messageOf, TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import { renamedFeeds } from '../flow/renamed-feeds.js';
import { checkStaging } from '../postgres/staging/check-staging.js';
import type { App } from '../app.js';
import type { Act, Context } from './context.js';
import { visible } from './print/output.js';

/** What `--connect` found: the same shape as a mistake in the file, without a place in it. */
type Finding = Pick<Problem, 'key' | 'message' | 'hint'> & { readonly code: string; readonly exit: number };

export function check(program: Command, act: Act): void {
  program
    .command('check')
    .description('validates the config; with --connect also each source, database, table and right')
    .option('--connect', 'reach every source and the database')
    .action(act(checkCommand));
}

async function checkCommand(context: Context, options: { readonly connect?: boolean }): Promise<number> {
  let config: Config;
  try {
    config = context.config();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (context.out.json) context.out.document({ ok: false, problems: error.problems });
    else for (const problem of error.problems) context.out.line(visible(problemLine(problem)));
    context.out.say(`${error.problems.length} mistake${error.problems.length === 1 ? '' : 's'}`);
    return 78;
  }
  const findings = [
    ...(await feedNames(context.app())),
    ...(options.connect === true ? await connect(context.app()) : []),
  ];
  const ok = findings.length === 0;
  if (context.out.json) {
    const found = findings.map(({ key, code, message, hint }) => ({
      file: '',
      line: 0,
      column: 0,
      key,
      code,
      message,
      hint,
    }));
    context.out.document({ ok, problems: found, warnings: config.warnings });
  } else {
    for (const warning of config.warnings) context.out.line(visible(problemLine(warning)));
    for (const f of findings)
      context.out.line(visible(`${f.key}: ${f.code}: ${f.message}${f.hint === '' ? '' : `\n  what to do: ${f.hint}`}`));
    if (ok)
      context.out.line(
        `the config is right: ${config.feeds.length} feed${config.feeds.length === 1 ? '' : 's'}${options.connect === true ? ', every source and the database answer' : ''}`,
      );
  }
  return findings.some((f) => f.exit === 78) ? 78 : findings.length > 0 ? 5 : 0;
}

/** A feed that goes on under a new name must say so; only the ledger, where there is one, knows the old ones. */
async function feedNames(app: App): Promise<Finding[]> {
  if (!existsSync(path.join(app.dataDir, 'ledger.db'))) return [];
  try {
    renamedFeeds(app.config.feeds, await app.ledger().feeds());
    return [];
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error;
    return [{ key: 'feeds', code: error.code, message: error.message, hint: error.fix, exit: error.exit }];
  }
}

/** Reaches everything that a run would need, and goes on after a failure so that all are told at once. */
async function connect(app: App): Promise<Finding[]> {
  const findings: Finding[] = [];
  const attempt = async (key: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const known = error instanceof TallymanError ? error : new TallymanError('INTERNAL', messageOf(error));
      findings.push({ key, code: known.code, message: known.message, hint: known.fix, exit: known.exit });
    }
  };
  for (const feed of app.config.feeds)
    await attempt(`feeds.${feed.name}.source`, () => probeSource(app, feed, findings));
  const before = findings.length;
  await attempt('database', async () => {
    await (await app.receipts()).databaseId();
  });
  if (findings.length === before) {
    const database = await app.database();
    for (const feed of app.config.feeds)
      await attempt(`feeds.${feed.name}.target`, () => checkStaging(database, feed.target, feed.columns));
  }
  return findings;
}

async function probeSource(app: App, feed: FeedSpec, findings: Finding[]): Promise<void> {
  const kinds = [feed.after.loaded, feed.after.rejected, feed.after.duplicate].map((action) => action.kind);
  const source = app.source(feed);
  try {
    for (const message of await source.probe({
      delete: kinds.includes('delete'),
      move: kinds.includes('move'),
      tag: kinds.includes('tag'),
    })) {
      findings.push({ key: `feeds.${feed.name}.source`, code: 'SOURCE_UNREACHABLE', message, hint: '', exit: 5 });
    }
  } finally {
    await source.close();
  }
}
