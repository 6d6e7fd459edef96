import type { Command } from 'commander';
import { ddl as ddlOf } from '../operations/ddl.js';
import type { Act, Context } from './context.js';

export function ddl(program: Command, act: Act): void {
  program
    .command('ddl')
    .description('the SQL of staging and control tables, without running it')
    .option('--feed <name>', "only this feed's staging table")
    .action(act(ddlCommand));
}

function ddlCommand(context: Context, options: { readonly feed?: string }): Promise<number> {
  const document = ddlOf(context.app(), options.feed ?? null);
  if (context.out.json) context.out.document(document);
  else context.out.write(document.items.map(({ sql }) => sql).join('\n'));
  return Promise.resolve(0);
}
