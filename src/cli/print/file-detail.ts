import { bytes, count, seconds } from '../../base/text/readable-numbers.js';
import { indented, oneLine } from '../../base/text/terminal-text.js';
import type { FileDetail, FileReport } from '../../core/report.js';
import { booksText } from './books.js';
import type { FitHeading } from './fit.js';
import { when, type Output } from './output.js';

export const FILE_HEADINGS: readonly FitHeading[] = [
  { title: 'id', align: 'right' },
  { title: 'feed', keep: 'start' },
  { title: 'state' },
  { title: 'read', align: 'right' },
  { title: 'loaded', align: 'right' },
  { title: 'quarantined', align: 'right' },
  { title: 'bytes', align: 'right' },
  { title: 'discovered' },
  { title: 'path', keep: 'end' },
];

export const fileRow = (r: FileReport): readonly string[] => [
  String(r.file_id),
  r.feed,
  r.duplicate_of === null ? r.state : `${r.state} of ${r.duplicate_of}`,
  count(r.rows.read),
  count(r.rows.loaded),
  count(r.rows.quarantined),
  bytes(r.size),
  when(r.discovered_at),
  r.path,
];

export function printFile(out: Output, d: FileDetail): void {
  const pair = (name: string, value: string): void =>
    out.line(`${`${name}:`.padEnd(13)}${indented(value, ' '.repeat(13))}`);
  out.line(out.bold(`file ${d.file_id}: ${oneLine(d.path)}`));
  pair('feed', d.feed);
  pair('uri', d.uri);
  pair('state', d.duplicate_of === null ? d.state : `${d.state} of file ${d.duplicate_of}`);
  pair('size', `${count(d.size)} bytes, changed ${when(d.mtime)}`);
  pair('sha256', d.sha256 ?? 'not known');
  if (d.content_sha256 !== null && d.content_sha256 !== d.sha256) pair('unpacked', d.content_sha256);
  pair(
    'load',
    d.load_id === null
      ? 'none'
      : `${d.load_id}, generation ${d.generation}, ${d.attempts} attempt${d.attempts === 1 ? '' : 's'}`,
  );
  pair('rows', booksText(d.rows, d.state));
  if (d.lines_skipped > 0) pair('lines', `${count(d.lines_skipped)} passed over: comments, and those of skip_lines`);
  pair('discovered', `${when(d.discovered_at)}, settled in ${seconds(d.seconds.settle)}`);
  pair('finished', d.finished_at === null ? 'not yet' : `${when(d.finished_at)}, loaded in ${seconds(d.seconds.load)}`);
  if (d.error !== null) {
    pair('error', `${d.error.code}: ${d.error.message}`);
    pair('what to do', d.error.fix.replaceAll('FILE_ID', String(d.file_id)));
  }
  if (d.errors.length > 0) {
    out.line('\nfaults');
    out.table(
      [
        { title: '  rows', align: 'right' },
        { title: 'class' },
        { title: 'column' },
        { title: 'first row', align: 'right' },
        { title: 'line', align: 'right' },
        { title: 'example' },
        { title: 'message' },
      ],
      d.errors.map((e) => [
        count(e.rows),
        e.class,
        e.column ?? '-',
        count(e.first_row),
        count(e.first_line),
        (e.example ?? '-').slice(0, 40),
        e.message,
      ]),
    );
  }
  if (d.drift.length > 0) {
    out.line('\ndrift');
    for (const { kind, column, message } of d.drift)
      out.line(`  ${[kind, oneLine(column)].filter((word) => word !== '').join(' ')}: ${oneLine(message)}`);
  }
  out.line('\nhistory');
  for (const h of d.history)
    out.line(`  ${when(h.at)}  ${h.from ?? 'new'} -> ${h.to}  (${oneLine(h.actor)}) ${oneLine(h.reason)}`);
  if (d.actions.length > 0) {
    out.line('\nafter actions');
    for (const a of d.actions)
      out.line(
        `  ${when(a.at)}  ${oneLine(a.action)}: ${a.state}, ${a.attempts} attempt${a.attempts === 1 ? '' : 's'}${a.detail === null ? '' : ` (${oneLine(a.detail)})`}`,
      );
  }
}
