import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { SeenFile } from '../core/file.js';
import { globMatcher } from '../ledger/glob.js';
import { isCompanion } from '../intake/ready.js';
import type { Context } from './context.js';
import { time } from './ids.js';
import { count, visible } from './output.js';
import type { Act } from './program.js';
import { addRequest } from './requests.js';
import { verify } from './verify.js';

export function ledgerCommands(program: Command, act: Act): void {
  const ledger = program.command('ledger').description('the memory of what was loaded');
  addRequest(ledger, 'clear', 'clear the entry only: rows stay, until a later load of the same path or content replaces them', act);
  ledger
    .command('adopt')
    .description('record the files present as ignored, without reading them: the first start on an old drop')
    .requiredOption('--feed <name>', 'the feed')
    .option('--before <time>', 'only files changed before then: ISO 8601, or 7d')
    .option('--match <glob>', 'only paths that the glob meets')
    .action(act(adopt));
  ledger.command('verify').description('compares ledger, receipts and staging counts; says every difference').action(act(verify));
}

async function adopt(context: Context, options: { readonly feed: string; readonly before?: string; readonly match?: string }): Promise<number> {
  const app = context.app();
  const feed = app.feed(options.feed);
  const beforeUs = options.before === undefined ? null : Date.parse(time(options.before, new Date())) * 1_000;
  const meets = globMatcher(options.match);
  const ledger = app.ledger();
  const receipts = await app.receipts();
  const { databaseId } = await receipts.prepare();
  if ((await ledger.getMeta('database_id')) === null) await ledger.setMeta('database_id', databaseId);
  const source = app.source(feed);
  const target = `${feed.target.schema}.${feed.target.table}`;
  let adopted = 0;
  let seen = 0;
  try {
    for await (const page of source.list(context.interrupt.signal)) {
      const wanted = (file: SeenFile): boolean => !isCompanion(feed.source.ready, file.path) && meets(file.path) && (beforeUs === null || (file.mtimeUs !== null && file.mtimeUs < beforeUs));
      const unknown = await ledger.unknown(feed.name, page.files.filter(wanted));
      seen += page.files.length;
      const files = unknown.map((file) => ({ file, uri: source.uri(file.path), loadKey: randomUUID() }));
      if (files.length === 0) continue;
      // The receipt first: a crash in between leaves files that are adopted again, not files that a rebuilt ledger would load.
      await receipts.adopt(files.map(({ file, uri, loadKey }) => ({ loadKey, feed: feed.name, path: file.path, fileUri: uri, size: file.size, mtimeUs: file.mtimeUs, version: file.version, target })), ledger.instanceId);
      adopted += await ledger.adopt(feed.name, files, 'cli', 'ledger adopt');
    }
  } finally {
    await source.close();
  }
  if (context.out.json) context.out.document({ feed: feed.name, seen, adopted });
  else context.out.line(`${visible(feed.name)}: ${count(adopted)} of ${count(seen)} files recorded as ignored; tallyman will never read them unless they change`);
  return 0;
}
