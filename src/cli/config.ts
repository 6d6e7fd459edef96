import { configJsonSchema } from '../config/json-schema.js';
import { printableConfig, printConfig } from '../config/print.js';
import { PARTS, type Context } from './context.js';

export function schema(context: Context): Promise<number> {
  context.out.document(configJsonSchema(PARTS), true);
  return Promise.resolve(0);
}

export function print(context: Context): Promise<number> {
  const config = context.config();
  if (context.out.json) context.out.document(printableConfig(config));
  else context.out.write(printConfig(config));
  return Promise.resolve(0);
}
