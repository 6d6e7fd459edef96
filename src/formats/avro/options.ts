import * as z from 'zod';
import { maxRecord } from '../text-options.js';

/** Keys under `format:` of an Avro feed, defaults filled in. */
export const avroOptions = z.strictObject({
  max_record: maxRecord.describe('Longest record, written as JSON; a longer one is refused. 16MiB by default.'),
});

export type AvroOptions = z.output<typeof avroOptions>;
