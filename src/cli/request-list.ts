import { cancelRequests, requestList, type KnownRequestItem } from '../operations/requests/request-list.js';
import { actor, type Context } from './context.js';
import { when, type Heading } from './print/output.js';
import { oneLine } from '../base/text/terminal-text.js';

const HEADINGS: readonly Heading[] = [
  { title: 'request', align: 'right' },
  { title: 'asked' },
  { title: 'what' },
  { title: 'file', align: 'right' },
  { title: 'state' },
  { title: 'by' },
  { title: 'path' },
];

const row = (item: KnownRequestItem): readonly string[] => [
  String(item.request_id),
  when(item.created_at),
  item.kind,
  String(item.file_id),
  item.state,
  item.actor,
  `${item.path}${item.message === '' ? '' : ` (${item.message})`}`,
];

export async function list(context: Context): Promise<number> {
  const { out } = context;
  const app = context.app();
  const document = await requestList(app);
  if (out.json) {
    out.document(document);
    return 0;
  }
  if (document.items.length === 0) {
    out.say('nothing was asked for');
    return 0;
  }
  out.table(HEADINGS, document.items.map(row));
  if (document.items.some(({ state }) => state === 'open'))
    out.say(
      app.holder() === null
        ? 'no daemon runs: the next `tallyman run` carries the open ones out'
        : 'the daemon carries the open ones out; one whose file is being loaded waits for that end',
    );
  return 0;
}

export async function cancel(context: Context, ids: readonly string[]): Promise<number> {
  const { out } = context;
  const document = await cancelRequests(context.app(), ids, actor());
  if (out.json) out.document(document);
  else
    for (const item of document.items)
      out.line(`cancelled request ${item.request_id}: ${item.kind} file ${item.file_id}, ${oneLine(item.path)}`);
  return 0;
}
