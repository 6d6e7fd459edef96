import { counted } from '../base/text/readable-numbers.js';
import { TallymanError } from '../core/errors.js';
import { EXPORT_FORMATS } from '../core/quarantine.js';
import { exportQuarantine, quarantineGroups, quarantineRows } from '../operations/quarantine.js';
import type { Context } from './context.js';
import { window, type WindowOptions } from './selectors.js';
import { GROUP_HEADINGS, groupRow, rowText } from './print/quarantine-table.js';
import { fitTable } from './print/fit.js';
import { printPieces } from './print/streams.js';
import { writeWhole } from './print/write-file.js';

export async function groups(context: Context, options: WindowOptions & { readonly feed?: string }): Promise<number> {
  const { out } = context;
  const document = await quarantineGroups(context.app(), options.feed ?? null, window(options, new Date()));
  const [first] = document.items;
  if (out.json) out.document(document);
  else if (first === undefined)
    out.say(
      `the quarantine is empty${options.since === undefined && options.until === undefined ? '' : ' for that time'}`,
    );
  else {
    fitTable(out, GROUP_HEADINGS, document.items.map(groupRow));
    out.say(`next: tallyman quarantine show ${first.file_id ?? ''}`);
  }
  return 0;
}

export async function show(context: Context, id: string): Promise<number> {
  const { out } = context;
  const { fileId, items } = await quarantineRows(context.app(), id);
  if (out.json) {
    await out.items(items, context.interrupt.signal);
    return 0;
  }
  let rows = 0;
  for await (const item of items) {
    out.line(rowText(item));
    rows++;
  }
  out.say(
    rows === 0
      ? `file ${fileId} has nothing in quarantine`
      : `${counted(rows, 'row')}; for the supplier: tallyman quarantine export ${fileId} --format html -o refused.html`,
  );
  return 0;
}

export async function exportRows(
  context: Context,
  id: string,
  options: { readonly format: string; readonly output?: string },
): Promise<number> {
  const { out, interrupt } = context;
  const format = EXPORT_FORMATS.find((name) => name === options.format);
  if (format === undefined)
    throw new TallymanError('USAGE', `--format ${options.format}: there are ${EXPORT_FORMATS.join(', ')}`);
  const { fileId, rows, pieces } = await exportQuarantine(context.app(), { id, format });
  if (options.output === undefined) await printPieces(pieces, interrupt.signal);
  else {
    await writeWhole(options.output, pieces, interrupt.signal);
    out.say(`written: ${options.output}`);
  }
  if (rows === 0) out.say(`file ${fileId} has nothing in quarantine`);
  return 0;
}
