import * as z from 'zod';
import type { VectorType } from '../../core/batch.js';
import type { Described, Failure } from './frames.js';

/**
 * What the reading process sends is checked like anything that comes from outside: it has read a file that nobody
 * trusts.
 */

const scale = z.number().int();

const vectorType: z.ZodType<VectorType> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('bool') }),
    z.object({
      kind: z.literal('int'),
      bytes: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8)]),
      signed: z.boolean(),
    }),
    z.object({
      kind: z.literal('decimal'),
      bytes: z.union([z.literal(2), z.literal(4), z.literal(8), z.literal(16)]),
      precision: scale,
      scale,
    }),
    z.object({ kind: z.enum(['real', 'double', 'date', 'julian', 'uuid', 'interval', 'text', 'blob']) }),
    z.object({ kind: z.literal('time'), unit: z.enum(['us', 'ns', 'packed']) }),
    z.object({ kind: z.literal('timestamp'), unit: z.enum(['us', 'ns']), utc: z.boolean() }),
    z.object({ kind: z.literal('digits'), scale }),
    z.object({ kind: z.literal('list'), item: vectorType }),
    z.object({ kind: z.literal('map'), key: vectorType, value: vectorType }),
    z.object({ kind: z.literal('struct'), fields: z.array(z.object({ name: z.string(), type: vectorType })) }),
  ]),
);

const described: z.ZodType<Described> = z.object({
  rows: z.number().int().nonnegative(),
  columns: z.array(z.object({ name: z.string(), type: vectorType, word: z.string().nullable() })),
});
const failure: z.ZodType<Failure> = z.object({
  code: z.enum(['FILE_CORRUPT', 'FORMAT_MISMATCH', 'EXPANSION_LIMIT', 'LOAD_FAILED', 'DISK_FULL', 'NOT_INSTALLED']),
  message: z.string(),
  fix: z.string().nullable(),
});

export const isDescribed = (value: unknown): value is Described => described.safeParse(value).success;
export const isFailure = (value: unknown): value is Failure => failure.safeParse(value).success;
