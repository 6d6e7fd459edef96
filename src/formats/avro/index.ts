import type { FormatType } from '../../core/format.js';
import { avroOptions, type AvroOptions } from './options.js';

export type { AvroOptions } from './options.js';

/** Avro object container files: records with their schema, in blocks. */
export const avro: FormatType<AvroOptions> = {
  type: 'avro',
  options: avroOptions,
  access: 'stream',
  emptyIsValid: false,
  text: () => null,
  open: async (input, options) => {
    const { openAvro } = await import('./open.js');
    return await openAvro(input, options);
  },
};
