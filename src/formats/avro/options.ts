import { z } from 'zod';
import { parseSize } from '../../base/units.js';

const MIB = 2 ** 20;
/** A record is held in memory as JSON, and twice while it grows. */
const LARGEST_RECORD = 512 * MIB;

const size = z.union([z.string(), z.number()]).transform((value, context) => {
  const bytes = typeof value === 'number' ? value : parseSize(value);
  if (bytes !== null && Number.isSafeInteger(bytes) && bytes >= 1 && bytes <= LARGEST_RECORD) return bytes;
  context.addIssue({ code: 'custom', message: 'must be a size from 1 byte to 512MiB, such as 16MiB' });
  return z.NEVER;
});

/** Keys under `format:` of an Avro feed, defaults filled in. */
export const avroOptions = z.strictObject({
  max_record: size
    .default(16 * MIB)
    .describe('Longest record, written as JSON; a longer one is refused. 16MiB by default.'),
});

export type AvroOptions = z.output<typeof avroOptions>;
