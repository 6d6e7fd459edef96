import { ddl as ddlOf } from '../operations/ddl.js';
import type { Context } from './context.js';

export function ddl(context: Context, options: { readonly feed?: string }): Promise<number> {
  const document = ddlOf(context.app(), options.feed ?? null);
  if (context.out.json) context.out.document(document);
  else context.out.write(document.items.map(({ sql }) => sql).join('\n'));
  return Promise.resolve(0);
}
