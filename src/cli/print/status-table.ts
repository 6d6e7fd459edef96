import type { FeedStatus } from '../../operations/status.js';
import { count } from '../../base/readable-numbers.js';
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

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
