import type { FeedStatus } from '../../operations/status.js';
import { count } from '../../base/text/readable-numbers.js';
import { oneLine } from '../../base/text/terminal-text.js';
import { when, type Heading } from './output.js';

/** States that wait for a person. */
const ATTENTION = ['failed', 'rejected', 'held'] as const;
export type Attention = (typeof ATTENTION)[number];

const WAITING = ['discovered', 'landing', 'landed', 'loading'] as const;

export const STATUS_HEADINGS: readonly Heading[] = [
  { title: 'feed' },
  { title: 'last file' },
  { title: 'at' },
  { title: 'today: files', align: 'right' },
  { title: 'read', align: 'right' },
  { title: 'loaded', align: 'right' },
  { title: 'quarantined', align: 'right' },
  { title: 'open quarantine', align: 'right' },
  { title: 'waiting', align: 'right' },
  { title: 'to look at' },
];

export const statusRow = (item: FeedStatus): readonly string[] => [
  item.configured ? item.feed : `${item.feed} (not in config)`,
  item.last_file?.path ?? '-',
  when(item.last_file?.finished_at ?? null),
  count(sum(Object.values(item.today.files))),
  count(item.today.rows.read),
  count(item.today.rows.loaded),
  count(item.today.rows.quarantined),
  item.open_quarantine === null ? '?' : count(item.open_quarantine),
  count(sum(WAITING.map((state) => item.states[state] ?? 0))),
  ATTENTION.filter((state) => (item.states[state] ?? 0) > 0)
    .map((state) => `${item.states[state] ?? 0} ${state}`)
    .join(', ') || '-',
];

/** What stands in a feed's way, under the table. */
export function troubleLines({ feed, configured, troubles }: FeedStatus): readonly string[] {
  if (!configured) return [];
  const lines: string[] = [];
  for (const { kind, path, code, message, fix } of troubles.items) {
    const what = { source: 'source', stopped: 'stopped', unlisted: 'not listed', skipped: 'not taken' }[kind];
    lines.push([feed, what, path ?? [], code ?? [], message].flat().map(oneLine).join(': '));
    if (fix !== null) lines.push(`  what to do: ${fix}`);
  }
  const shown = (kind: string): number => troubles.items.filter((item) => item.kind === kind).length;
  const left = troubles.skipped + troubles.unlisted - shown('skipped') - shown('unlisted');
  return left > 0 ? [...lines, `${feed}: and ${count(left)} more`] : lines;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
