import type { Command } from 'commander';
import { configJsonSchema } from '../config/json-schema.js';
import { printableConfig, printConfig } from '../config/print.js';
import { PARTS, type Act, type Context } from './context.js';

export function configCommands(program: Command, act: Act): void {
  const config = program.command('config').description('the configuration');
  config.command('schema').description('JSON Schema of tallyman.yaml').action(act(schema));
  config.command('print').description('the effective config with secrets masked').action(act(print));
}

function schema(context: Context): Promise<number> {
  context.out.document(configJsonSchema(PARTS), true);
  return Promise.resolve(0);
}

function print(context: Context): Promise<number> {
  const config = context.config();
  if (context.out.json) context.out.document(printableConfig(config));
  else context.out.write(printConfig(config));
  return Promise.resolve(0);
}
