import { count, counted } from '../base/text/readable-numbers.js';
import { adopt as adoptPresent } from '../operations/adopt.js';
import { verify as verifyStores } from '../operations/verify.js';
import type { Context } from './context.js';
import { oneLine } from '../base/text/terminal-text.js';
import { time } from './selectors.js';

export async function adopt(
  context: Context,
  options: { readonly feed: string; readonly before?: string; readonly match?: string },
): Promise<number> {
  const { out, interrupt } = context;
  const document = await adoptPresent(
    context.app(),
    {
      feed: options.feed,
      before: options.before === undefined ? null : time(options.before, new Date()),
      match: options.match ?? null,
      actor: 'cli',
    },
    interrupt.signal,
  );
  const { feed, seen, adopted } = document;
  if (out.json) out.document(document);
  else
    out.line(
      `${oneLine(feed)}: ${count(adopted)} of ${counted(seen, 'file')} recorded as ignored; tallyman will never read them unless they change`,
    );
  return 0;
}

/** Exit 4 when anything but `emptied` was found. */
export async function verify(context: Context): Promise<number> {
  const { out } = context;
  const document = await verifyStores(context.app());
  const { ok, differences } = document;
  if (out.json) out.document(document);
  else {
    for (const difference of differences) out.line(`${difference.kind}: ${oneLine(difference.message)}`);
    const wrong = differences.filter((difference) => difference.kind !== 'emptied').length;
    out.line(ok ? 'ledger, receipts and staging tables agree' : counted(wrong, 'difference'));
  }
  return ok ? 0 : 4;
}
