import process from 'node:process';
import type { FileReport } from '../core/report.js';
import { files as filesOf, showFile } from '../operations/files.js';
import type { Context } from './context.js';
import { selector, type SelectorOptions } from './selectors.js';
import { FILE_HEADINGS, fileRow, printFile } from './print/file-detail.js';
import { fitTable } from './print/fit.js';
import { oneLine } from '../base/text/terminal-text.js';

export async function list(context: Context, options: SelectorOptions): Promise<number> {
  const { out } = context;
  const found = filesOf(context.app(), selector(options));
  if (out.json) await out.items(found, context.interrupt.signal);
  else {
    // A table's columns are as wide as their widest cell.
    const reports: FileReport[] = [];
    for await (const report of found) reports.push(report);
    fitTable(out, FILE_HEADINGS, reports.map(fileRow));
  }
  return 0;
}

export async function show(context: Context, id: string): Promise<number> {
  const { out } = context;
  const { detail, others } = await showFile(context.app(), id, process.cwd());
  if (out.json) out.document(detail);
  else printFile(out, detail);
  for (const { file_id: other, feed, path, state } of others)
    out.say(`of that name also: file ${other}, ${state} (${oneLine(feed)}: ${oneLine(path)})`);
  return 0;
}
