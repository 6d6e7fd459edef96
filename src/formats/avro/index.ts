import type { FormatInput, FormatType } from '../../core/format.js';
import { BlockReader } from './blocks.js';
import { avroOptions, type AvroOptions } from './options.js';
import { columnsOf } from './plan.js';
import { AvroReader } from './reader.js';
import { parseSchema } from './schema.js';
import { recordOf } from './values.js';

export type { AvroOptions } from './options.js';

/** As config has it by default (schema-feed.ts). */
const MAX_EXPANSION = { ratio: 200, bytes: 100e9 };

/** Avro object container files: records with their schema, in blocks. */
export const avro: FormatType<AvroOptions> = {
  type: 'avro',
  options: avroOptions,
  access: 'stream',
  emptyIsValid: false,
  text: () => null,
  open: async (input: FormatInput, options: AvroOptions) => {
    const blocks = new BlockReader(input.bytes, input.maxExpansion ?? MAX_EXPANSION);
    try {
      const header = await blocks.header();
      const record = recordOf(parseSchema(header.schema));
      const columns = columnsOf(record, input.contract);
      return new AvroReader(blocks, header, record, columns, options, input.batchRows);
    } catch (error) {
      await blocks.close();
      throw error;
    }
  },
};
