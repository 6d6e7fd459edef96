import { COPY_HEADER, COPY_TRAILER } from '../../columns/rows/row-encoder.js';
import { TallymanError } from '../../core/errors.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { quarantineCopySql } from '../../postgres/control/quarantine-write.js';
import type { QuarantineRecord } from '../../quarantine/record.js';
import { CopyStream } from './copy-stream.js';

/** Bytes a write. */
const PIECE = 1024 * 1024;

/**
 * Copies binary tuples into the quarantine of this control schema; returns how many PostgreSQL took. A refusal is our
 * bug: what gets here was made harmless.
 */
export async function copyQuarantine(connection: Connection, schema: string, tuples: Buffer): Promise<number> {
  if (tuples.length === 0) return 0;
  const stream = new CopyStream(connection, quarantineCopySql(schema));
  try {
    await stream.write(COPY_HEADER);
    for (let at = 0; at < tuples.length; at += PIECE) await stream.write(tuples.subarray(at, at + PIECE));
    await stream.write(COPY_TRAILER);
    return await stream.finish();
  } catch (error) {
    await stream.abort('the quarantine could not be written');
    throw error;
  }
}

/** Throws TALLY_MISMATCH unless the quarantine holds as many rows as were refused. */
export function proveQuarantined(written: number, refused: number): void {
  if (written !== refused)
    throw new TallymanError('TALLY_MISMATCH', `${refused} rows were refused, ${written} stand in the quarantine`);
}

/** Bad rows on their way into tallyman.quarantine. */
export class QuarantineFlush {
  /** Rows that PostgreSQL took. */
  written = 0;
  readonly #connection: Connection;
  readonly #schema: string;
  readonly #record: QuarantineRecord;

  constructor(connection: Connection, schema: string, record: QuarantineRecord) {
    this.#connection = connection;
    this.#schema = schema;
    this.#record = record;
  }

  /** Writes what was recorded since the last time. */
  async flush(): Promise<void> {
    this.written += await copyQuarantine(this.#connection, this.#schema, this.#record.take());
  }
}
