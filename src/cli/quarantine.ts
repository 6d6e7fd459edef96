import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import process from 'node:process';
import type { Command } from 'commander';
import type { CellError } from '../core/batch.js';
import { messageOf, TallymanError } from '../core/errors.js';
import type { FileDetail } from '../core/report.js';
import type { QuarantineRow } from '../core/quarantine.js';
import type { Receipts } from '../core/receipts.js';
import { exportAbout, type Export, type ExportAbout } from '../quarantine/export/about.js';
import { exportCsv } from '../quarantine/export/csv.js';
import { exportHtml } from '../quarantine/export/html.js';
import { exportJsonl } from '../quarantine/export/jsonl.js';
import { reasonOf } from '../quarantine/export/record-cells.js';
import { quarantineItem } from '../quarantine/item.js';
import { readable } from '../quarantine/readable.js';
import type { Act, Context } from './context.js';
import { fileId } from './ids.js';
import { count, visible } from './print/output.js';

/** How each --format is written; the first is the default. */
const FORMATS: Readonly<Record<string, Export>> = { csv: exportCsv, jsonl: exportJsonl, html: exportHtml };

export function quarantineCommands(program: Command, act: Act): void {
  const command = program
    .command('quarantine')
    .description('open quarantine, grouped by file, column and reason')
    .option('--feed <name>', 'only this feed')
    .action(act(groups));
  command
    .command('show')
    .description('the rows: row, line, column, value, reason')
    .argument('<file_id>', 'file id, or load:N')
    .action(act(show));
  command
    .command('export')
    .description('the refused rows for the supplier')
    .argument('<file_id>', 'file id, or load:N')
    .option('--format <format>', Object.keys(FORMATS).join(', '), 'csv')
    .option('-o, --output <file>', 'write here instead of to stdout')
    .action(act(exportRows));
}

async function groups(context: Context, options: { readonly feed?: string }): Promise<number> {
  const app = context.app();
  if (options.feed !== undefined) app.feed(options.feed);
  const ledger = app.ledger();
  const found = await (await app.receipts()).quarantineGroups(options.feed ?? null);
  const items = [];
  for (const g of found) {
    const entry = await ledger.byLoadId(g.loadId);
    items.push({
      feed: g.feed,
      file_id: entry?.fileId ?? null,
      load_id: g.loadId,
      path: g.path,
      column: g.column,
      class: g.class,
      rows: g.rows,
      first_row: g.firstRow,
      first_line: g.firstLine,
      example: g.example,
      message: g.message,
    });
  }
  if (context.out.json) {
    context.out.document({ items });
    return 0;
  }
  if (items.length === 0) {
    context.out.say('the quarantine is empty');
    return 0;
  }
  context.out.table(
    [
      { title: 'file', align: 'right' },
      { title: 'feed' },
      { title: 'path' },
      { title: 'rows', align: 'right' },
      { title: 'column' },
      { title: 'class' },
      { title: 'first row', align: 'right' },
      { title: 'line', align: 'right' },
      { title: 'example' },
      { title: 'reason' },
    ],
    items.map((i) => [
      i.file_id === null ? `load:${i.load_id}` : String(i.file_id),
      i.feed,
      i.path,
      count(i.rows),
      i.column ?? '-',
      i.class,
      count(i.first_row),
      count(i.first_line),
      (i.example ?? '-').slice(0, 40),
      i.message,
    ]),
  );
  context.out.say(`next: tallyman quarantine show ${items[0]?.file_id ?? ''}`);
  return 0;
}

interface Rows {
  readonly detail: FileDetail;
  readonly pages: AsyncIterable<readonly QuarantineRow[]>;
  readonly loadId: number | null;
  readonly receipts: Receipts;
}

async function rowsOf(context: Context, id: string): Promise<Rows> {
  const app = context.app();
  const ledger = app.ledger();
  const detail = await ledger.detail(await fileId(ledger, id));
  if (detail === null) throw new TallymanError('UNKNOWN_FILE', `the ledger knows no file ${id}`);
  const loadId = /^load:(\d+)$/.exec(id)?.[1];
  const load = loadId === undefined ? detail.load_id : Number(loadId);
  const receipts = await app.receipts();
  return { detail, pages: load === null ? none() : receipts.quarantineRows(load), loadId: load, receipts };
}

async function* none(): AsyncIterable<readonly QuarantineRow[]> {
  // A file without a receipt has no quarantine.
}

/** Bytes of a record, and characters of a value, that are shown to people. */
const SHOWN_RAW = 200;
const SHOWN_VALUE = 100;

async function show(context: Context, id: string): Promise<number> {
  const { detail, pages } = await rowsOf(context, id);
  const { out } = context;
  if (out.json) {
    // One document, written as it comes: a file may have 10,000,000 refused rows.
    out.write('{"items":[');
    let first = true;
    for await (const page of pages) {
      for (const row of page) out.write(`${first ? '' : ','}${JSON.stringify(quarantineItem(row))}`);
      first = first && page.length === 0;
    }
    out.write(']}\n');
    return 0;
  }
  let rows = 0;
  for await (const page of pages) {
    for (const row of page) {
      const member = row.member === null ? '' : `${visible(row.member)} `;
      for (const error of row.errors)
        out.line(`row ${row.row}, ${member}line ${row.line ?? '-'}: ${visible(reasonOf(error))}${shownValue(error)}`);
      out.line(
        `    ${visible(readable(row.raw.subarray(0, SHOWN_RAW))).replace(/\n/g, '\n    ')}${row.rawLength > SHOWN_RAW ? ' …' : ''}`,
      );
      rows++;
    }
  }
  out.say(
    rows === 0
      ? `file ${detail.file_id} has nothing in quarantine`
      : `${count(rows)} rows; for the supplier: tallyman quarantine export ${detail.file_id} --format html -o refused.html`,
  );
  return 0;
}

/** The value on one line. */
function shownValue({ value }: CellError): string {
  if (value === null) return '';
  const short = value.length > SHOWN_VALUE ? `${value.slice(0, SHOWN_VALUE)} …` : value;
  return `: "${visible(short.replace(/\r\n?|\n/g, '\\n').replaceAll('\t', '\\t'))}"`;
}

async function exportRows(
  context: Context,
  id: string,
  options: { readonly format: string; readonly output?: string },
): Promise<number> {
  const format = Object.entries(FORMATS).find(([name]) => name === options.format)?.[1];
  if (format === undefined)
    throw new TallymanError('USAGE', `--format ${options.format}: there are ${Object.keys(FORMATS).join(', ')}`);
  const { detail, pages, loadId, receipts } = await rowsOf(context, id);
  const about = await aboutOf(detail, loadId, receipts);
  const pieces = format(detail, pages, about);
  if (options.output === undefined) await writeAll(process.stdout, pieces, context.interrupt.signal);
  else {
    await writeWhole(options.output, pieces, context.interrupt.signal);
    context.out.say(`written: ${options.output}`);
  }
  if (about.rows.quarantined === 0) context.out.say(`file ${detail.file_id} has nothing in quarantine`);
  return 0;
}

async function aboutOf(detail: FileDetail, loadId: number | null, receipts: Receipts): Promise<ExportAbout> {
  if (loadId === null) return exportAbout(detail, null, null);
  const [receipt] = await receipts.byIds([loadId]);
  return exportAbout(detail, receipt ?? null, await receipts.dialect(loadId));
}

/** Waits for the reader: 10,000,000 rows do not fit into memory. */
async function writeAll(stream: Writable, pieces: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new TallymanError('INTERRUPTED', 'the export was interrupted');
    if (stream.errored !== null) throw stream.errored;
    if (!stream.write(piece)) await once(stream, 'drain');
  }
}

/**
 * A private temporary name first: a full disk or Ctrl-C leaves no half report under the final name. A device or pipe is
 * written to as it is.
 */
async function writeWhole(file: string, pieces: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  const direct = !((await stat(file).catch(() => null))?.isFile() ?? true);
  const target = direct ? file : `${file}.${process.pid}.tmp`;
  const stream = createWriteStream(target, { mode: 0o600, flags: direct ? 'w' : 'wx' });
  // An error between two waits stays in stream.errored, which is asked; without a listener it would end the process.
  stream.on('error', () => undefined);
  try {
    await once(stream, 'open');
    await writeAll(stream, pieces, signal);
    stream.end();
    if (!stream.closed) await once(stream, 'close');
    if (stream.errored !== null) throw stream.errored;
    if (!direct) await rename(target, file);
  } catch (error) {
    stream.destroy();
    if (!direct) await rm(target, { force: true });
    // The database that went away while it was read says so itself.
    if (error instanceof TallymanError) throw error;
    throw new TallymanError(isDiskFault(error) ? 'DISK_FULL' : 'USAGE', `cannot write ${file}: ${messageOf(error)}`, {
      cause: error,
      fix: 'Free space, or choose another place with -o.',
    });
  }
}

/** A disk that is full or broken; the rest (no such folder, no right to write) is what the user asked for. */
const isDiskFault = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG'].includes(String(error.code));
