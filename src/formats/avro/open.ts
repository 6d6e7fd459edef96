import type { FormatInput } from '../../core/format.js';
import { BlockReader } from './blocks.js';
import type { AvroOptions } from './options.js';
import { columnsOf } from './plan.js';
import { AvroReader } from './reader.js';
import { parseSchema } from './schema.js';
import { recordOf } from './values.js';

/** As config has it by default (schema-feed.ts). */
const MAX_EXPANSION = { ratio: 200, bytes: 100e9 };

export async function openAvro(input: FormatInput, options: AvroOptions): Promise<AvroReader> {
  const blocks = new BlockReader(input.bytes, input.maxExpansion ?? MAX_EXPANSION);
  try {
    const header = await blocks.header();
    const record = recordOf(parseSchema(header.schema));
    const columns = columnsOf(record, input.contract);
    return new AvroReader(blocks, header, record, columns, options, input);
  } catch (error) {
    await blocks.close();
    throw error;
  }
}
