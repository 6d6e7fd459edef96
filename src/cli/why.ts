import process from 'node:process';
import { why as whyOf } from '../operations/why.js';
import type { Context } from './context.js';
import { oneLine } from '../base/text/terminal-text.js';

export async function why(context: Context, path: string, options: { readonly feed?: string }): Promise<number> {
  const { out } = context;
  const input = { path, feed: options.feed ?? null, cwd: process.cwd() };
  const document = await whyOf(context.app(), input, new Date());
  if (out.json) out.document(document);
  else {
    if (document.items.length === 0)
      out.line(oneLine(`${path}: no feed looks there; name a feed with --feed, or see tallyman config print`));
    for (const { feed, path: name, verdict, steps } of document.items) {
      out.line(oneLine(`${feed}: ${name} ${verdict}`));
      for (const { step, ok, says } of steps) out.line(oneLine(`  ${ok ? 'yes' : 'no '} ${step.padEnd(8)} ${says}`));
    }
  }
  return 0;
}
