import type { FileReport } from '../core/report.js';
import { files as filesOf, showFile } from '../operations/files.js';
import type { Context } from './context.js';
import { selector, type SelectorOptions } from './selectors.js';
import { FILE_HEADINGS, fileRow, printFile } from './print/file-detail.js';

export async function list(context: Context, options: SelectorOptions): Promise<number> {
  const { out } = context;
  const found = filesOf(context.app(), selector(options));
  if (out.json) await out.items(found, context.interrupt.signal);
  else {
    // A table's columns are as wide as their widest cell.
    const reports: FileReport[] = [];
    for await (const report of found) reports.push(report);
    out.table(FILE_HEADINGS, reports.map(fileRow));
  }
  return 0;
}

export async function show(context: Context, id: string): Promise<number> {
  const detail = await showFile(context.app(), id);
  if (context.out.json) context.out.document(detail);
  else printFile(context.out, detail);
  return 0;
}
