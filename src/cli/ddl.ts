import type { Command } from 'commander';
import { controlSchemaSql } from '../postgres/control/control-schema.js';
import { stagingSql } from '../postgres/staging/staging-sql.js';
import type { Act, Context } from './context.js';

export function ddl(program: Command, act: Act): void {
  program
    .command('ddl')
    .description('the SQL of staging and control tables, without running it')
    .option('--feed <name>', "only this feed's staging table")
    .action(act(ddlCommand));
}

/** Two feeds into one table: the table is printed once. */
function ddlCommand(context: Context, options: { readonly feed?: string }): Promise<number> {
  const app = context.app();
  const feeds = options.feed === undefined ? app.config.feeds : [app.feed(options.feed)];
  const scripts = new Map<string, string>();
  if (options.feed === undefined)
    scripts.set(app.config.database.controlSchema, controlSchemaSql(app.config.database.controlSchema));
  for (const { target, columns } of feeds) {
    const name = `${target.schema}.${target.table}`;
    if (!scripts.has(name)) scripts.set(name, stagingSql(target, columns));
  }
  if (context.out.json) context.out.document({ items: [...scripts].map(([name, sql]) => ({ name, sql })) });
  else context.out.write([...scripts.values()].join('\n'));
  return Promise.resolve(0);
}
