import type { FeedStatus, StatusDocument } from '../../operations/status.js';
import { ago, count } from '../../base/text/readable-numbers.js';
import { fitted, type FitHeading } from './fit.js';
import { oneLine } from '../../base/text/terminal-text.js';
import { when, type Output } from './output.js';
import { unmatchedLines } from './unmatched-lines.js';

/** States that wait for a person. */
const ATTENTION = ['failed', 'rejected', 'held'] as const;
export type Attention = (typeof ATTENTION)[number];

const INDENT = '    ';

const HEADINGS: readonly FitHeading[] = [
  { title: 'feed' },
  { title: 'last' },
  { title: 'last file', keep: 'end' },
  { title: 'files', align: 'right' },
  { title: 'read', align: 'right' },
  { title: 'loaded', align: 'right' },
  { title: 'refused', align: 'right' },
  { title: 'open', align: 'right' },
  { title: 'wait', align: 'right' },
  { title: 'to look at', keep: 'start' },
];

/** Where `last file` stands: the first that is left out where there is no room. */
const LAST_FILE = 2;

/** The status for people, at most `width` wide: who works, what waits, and a line a feed with the sum of all. */
export function printStatus(out: Output, document: StatusDocument, now: Date, width: number): void {
  const { items, daemon, window, database_error: databaseError } = document;
  for (const text of [daemonText(daemon, now), queueText(document, now)]) out.line(text);
  const { since, until } = window;
  const time = until === null ? `since ${when(since)}` : `from ${when(since)} to ${when(until)}`;
  out.line(`tally ${time}; open: rows in quarantine`);
  out.line('');
  const rows = [...items.map((item) => feedRow(item, now)), ...(items.length > 1 ? [totalRow(document)] : [])];
  printRows(out, rows, width);
  const more = [...items.flatMap(troubleLines), ...unmatchedLines(document.unmatched)];
  for (const text of more) for (const line of wrapped(text, width)) out.line(line);
  const needed = ATTENTION.filter((state) => items.some((item) => (item.states[state] ?? 0) > 0));
  if (needed.length > 0) out.say(`next: tallyman files --state ${needed.join(',')}`);
  if (databaseError !== null) out.say(`the database cannot be asked: ${databaseError.message}`);
}

/** With all columns, else without the last file, else with names of feeds cut; a block a feed where nothing helps. */
function printRows(out: Output, rows: readonly (readonly string[])[], width: number): void {
  const without = <A>(cells: readonly A[]): readonly A[] => cells.filter((_, i) => i !== LAST_FILE);
  const fewer = rows.map(without);
  const short = without(HEADINGS);
  const cut = short.map((heading, i): FitHeading => (i === 0 ? { ...heading, keep: 'start' } : heading));
  const ways = [
    [HEADINGS, rows],
    [short, fewer],
    [cut, fewer],
  ] as const;
  for (const [headings, cells] of ways) {
    const fit = fitted(headings, cells, width);
    if (fit === null) continue;
    out.table(headings, fit);
    return;
  }
  for (const row of rows) printBlock(out, row, width);
}

function daemonText(daemon: StatusDocument['daemon'], now: Date): string {
  if (daemon === null) return 'no daemon runs: files wait for the next `tallyman run`';
  const { pid, since, version } = daemon;
  const who = `tallyman${version === null ? '' : ` ${oneLine(version)}`} runs`;
  return [
    who + (pid === null ? '' : `: pid ${pid}`),
    ...(since === null ? [] : [`since ${when(since)} (${ago(since, now)})`]),
  ].join(', ');
}

function queueText({ queue, waiting_since: since, open_requests: requests }: StatusDocument, now: Date): string {
  const files = queue === 0 ? 'no file waits' : `${count(queue)} file${queue === 1 ? ' waits' : 's wait'}`;
  const late = since === null ? '' : `, ${queue === 1 ? '' : 'the oldest '}for ${ago(since, now)}`;
  const asked = requests === 0 ? '' : `; ${count(requests)} open request${requests === 1 ? '' : 's'}`;
  return `queue: ${files}${late}${asked}`;
}

function feedRow(item: FeedStatus, now: Date): readonly string[] {
  const { today, last_file: last, waiting_since: since } = item;
  const late = item.queue === 0 || since === null ? '' : ` ${ago(since, now)}`;
  return [
    item.configured ? item.feed : `${item.feed} (not in config)`,
    last === null ? '-' : ago(last.finished_at ?? last.discovered_at, now),
    last?.path ?? '-',
    count(sum(Object.values(today.files))),
    count(today.rows.read),
    count(today.rows.loaded),
    count(today.rows.quarantined),
    item.open_quarantine === null ? '?' : count(item.open_quarantine),
    `${count(item.queue)}${late}`,
    ATTENTION.filter((state) => (item.states[state] ?? 0) > 0)
      .map((state) => `${item.states[state] ?? 0} ${state}`)
      .join(', ') || '-',
  ];
}

function totalRow({ total, queue, items }: StatusDocument): readonly string[] {
  const attention = ATTENTION.map((state) => ({ state, files: sum(items.map((item) => item.states[state] ?? 0)) }));
  return [
    'total',
    '',
    '',
    count(total.files),
    count(total.rows.read),
    count(total.rows.loaded),
    count(total.rows.quarantined),
    total.open_quarantine === null ? '?' : count(total.open_quarantine),
    count(queue),
    attention
      .filter(({ files }) => files > 0)
      .map(({ state, files }) => `${count(files)} ${state}`)
      .join(', ') || '-',
  ];
}

/** A row too wide for one line: the feed, and below it what the columns hold, in as few lines as they need. */
function printBlock(out: Output, [feed = '', ...cells]: readonly string[], width: number): void {
  const named = cells.flatMap((cell, i) => (cell === '' ? [] : [`${HEADINGS[i + 1]?.title ?? ''} ${oneLine(cell)}`]));
  out.line(out.bold(oneLine(feed).slice(0, width)));
  let line = ' ';
  for (const one of named) {
    const text = one.slice(0, width - 2);
    if (line.length + 1 + text.length > width && line !== ' ') {
      out.line(line);
      line = ' ';
    }
    line += `${line === ' ' ? '' : ', '}${line === ' ' ? ' ' : ''}${text}`;
  }
  if (line !== ' ') out.line(line);
}

/** What stands in a feed's way, under the table. */
function troubleLines({ feed, configured, troubles }: FeedStatus): readonly string[] {
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

/** Broken between words where it is too wide, and within a word that is; what goes on is indented. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const at = blank > INDENT.length ? blank : width;
    lines.push(rest.slice(0, at));
    rest = `${INDENT}${rest.slice(at).trimStart()}`;
  }
  return [...lines, rest];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
