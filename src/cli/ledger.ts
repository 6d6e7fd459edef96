import type { Command } from 'commander';
import type { SeenFile } from '../core/file.js';
import type { App } from '../app.js';
import { adoptPresent } from '../operations/adopt.js';
import { differences, type Difference } from '../operations/verify.js';
import { globMatcher } from '../base/glob-matcher.js';
import type { Act, Context } from './context.js';
import { time } from './ids.js';
import { count, visible } from './print/output.js';
import { addRequest } from './requests.js';

export function ledgerCommands(program: Command, act: Act): void {
  const ledger = program.command('ledger').description('the memory of what was loaded');
  addRequest(
    ledger,
    'clear',
    'clear the entry only: rows stay, until a later load of the same path or content replaces them',
    act,
  );
  ledger
    .command('adopt')
    .description('record the files present as ignored, without reading them: the first start on an old drop')
    .requiredOption('--feed <name>', 'the feed')
    .option('--before <time>', 'only files changed before then: ISO 8601, or 7d')
    .option('--match <glob>', 'only paths that the glob meets')
    .action(act(adopt));
  ledger
    .command('verify')
    .description('compares ledger, receipts and staging counts; says every difference')
    .action(act(verify));
}

async function adopt(
  context: Context,
  options: { readonly feed: string; readonly before?: string; readonly match?: string },
): Promise<number> {
  const app = context.app();
  const feed = app.feed(options.feed);
  const beforeUs = options.before === undefined ? null : Date.parse(time(options.before, new Date())) * 1_000;
  const meets = globMatcher(options.match);
  const source = app.source(feed);
  const wanted = (file: SeenFile): boolean =>
    meets(file.path) && (beforeUs === null || (file.mtimeUs !== null && file.mtimeUs < beforeUs));
  try {
    const { seen, adopted } = await adoptPresent(
      {
        configured: app.config.feeds,
        dataDir: app.dataDir,
        ledger: app.ledger(),
        receipts: await app.receipts(),
        source,
        feed,
        actor: 'cli',
        wanted,
      },
      context.interrupt.signal,
    );
    if (context.out.json) context.out.document({ feed: feed.name, seen, adopted });
    else
      context.out.line(
        `${visible(feed.name)}: ${count(adopted)} of ${count(seen)} files recorded as ignored; tallyman will never read them unless they change`,
      );
  } finally {
    await source.close();
  }
  return 0;
}

/** Those that have gone from the config too: their rows are still in the tables. */
async function feedNames(app: App): Promise<readonly string[]> {
  return [...new Set([...app.config.feeds, ...(await app.ledger().feeds())].map((feed) => feed.name))];
}

/** Exit 4 when anything but `emptied` was found. */
async function verify(context: Context): Promise<number> {
  const app = context.app();
  const found: Difference[] = [];
  for await (const difference of differences(app.ledger(), await app.receipts(), await feedNames(app)))
    found.push(difference);
  const wrong = found.filter((difference) => difference.kind !== 'emptied').length;
  if (context.out.json) context.out.document({ ok: wrong === 0, differences: found });
  else {
    for (const difference of found) context.out.line(`${difference.kind}: ${visible(difference.message)}`);
    context.out.line(
      wrong === 0 ? 'ledger, receipts and staging tables agree' : `${count(wrong)} difference${wrong === 1 ? '' : 's'}`,
    );
  }
  return wrong === 0 ? 0 : 4;
}
