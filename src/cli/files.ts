import type { Command } from 'commander';
import { TallymanError } from '../core/errors.js';
import type { FileDetail } from '../core/report.js';
import type { Act, Context } from './context.js';
import { addSelectors, fileId, selector, type SelectorOptions } from './ids.js';
import { bytes, count, seconds, visible, when, type Output } from './print/output.js';

export function files(program: Command, act: Act): void {
  const command = addSelectors(program.command('files').description('the ledger, newest first'), '100').action(
    act(list),
  );
  command
    .command('show')
    .description('one file with its history')
    .argument('<id>', 'file id, or load:N')
    .action(act(show));
}

async function list(context: Context, options: SelectorOptions): Promise<number> {
  const { out } = context;
  if (options.feed !== undefined) context.app().feed(options.feed);
  const reports = await context.app().ledger().files(selector(options));
  if (out.json) {
    out.document({ items: reports });
    return 0;
  }
  out.table(
    [
      { title: 'id', align: 'right' },
      { title: 'feed' },
      { title: 'state' },
      { title: 'read', align: 'right' },
      { title: 'loaded', align: 'right' },
      { title: 'quarantined', align: 'right' },
      { title: 'bytes', align: 'right' },
      { title: 'discovered' },
      { title: 'path' },
    ],
    reports.map((r) => [
      String(r.file_id),
      r.feed,
      r.duplicate_of === null ? r.state : `${r.state} of ${r.duplicate_of}`,
      count(r.rows.read),
      count(r.rows.loaded),
      count(r.rows.quarantined),
      bytes(r.size),
      when(r.discovered_at),
      r.path,
    ]),
  );
  return 0;
}

async function show(context: Context, id: string): Promise<number> {
  const ledger = context.app().ledger();
  const detail = await ledger.detail(await fileId(ledger, id));
  if (detail === null) throw new TallymanError('UNKNOWN_FILE', `the ledger knows no file ${id}`);
  if (context.out.json) context.out.document(detail);
  else print(context.out, detail);
  return 0;
}

function print(out: Output, d: FileDetail): void {
  const pair = (name: string, value: string): void => out.line(`${`${name}:`.padEnd(13)}${visible(value)}`);
  out.line(out.bold(`file ${d.file_id}: ${visible(d.path)}`));
  pair('feed', d.feed);
  pair('uri', d.uri);
  pair('state', d.duplicate_of === null ? d.state : `${d.state} of file ${d.duplicate_of}`);
  pair('size', `${count(d.size)} bytes, changed ${when(d.mtime)}`);
  pair('sha256', d.sha256 ?? 'not known');
  pair(
    'load',
    d.load_id === null
      ? 'none'
      : `${d.load_id}, generation ${d.generation}, ${d.attempts} attempt${d.attempts === 1 ? '' : 's'}`,
  );
  pair(
    'rows',
    `${count(d.rows.read)} read = ${count(d.rows.loaded)} loaded + ${count(d.rows.quarantined)} quarantined + ${count(d.rows.skipped)} skipped${d.rows.declared === null ? '' : `; the sender says ${count(d.rows.declared)}`}`,
  );
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
    for (const note of d.drift) out.line(`  ${note.kind} ${visible(note.column)}: ${visible(note.message)}`);
  }
  out.line('\nhistory');
  for (const h of d.history)
    out.line(`  ${when(h.at)}  ${h.from ?? 'new'} -> ${h.to}  (${visible(h.actor)}) ${visible(h.reason)}`);
  if (d.actions.length > 0) {
    out.line('\nafter actions');
    for (const a of d.actions)
      out.line(
        `  ${when(a.at)}  ${visible(a.action)}: ${a.state}, ${a.attempts} attempt${a.attempts === 1 ? '' : 's'}${a.detail === null ? '' : ` (${visible(a.detail)})`}`,
      );
  }
}
