import type { CellError } from '../core/batch.js';
import type { ErrorGroup } from '../core/report.js';
import { ErrorGroups, type BadRowPlace } from './error-groups.js';
import { visibleString } from '../base/text/visible-string.js';
import { QUARANTINE_COLUMNS } from '../postgres/control/quarantine-write.js';

/**
 * A rejected file keeps its first so many bad rows, so many bytes of each, and so many bytes in all
 * (docs/spec/limits.md#a-rejected-file).
 */
export const KEPT_ROWS = 1_000;
const KEPT_RAW = 64 * 1024;
const KEPT_BYTES = 32 * 1024 * 1024;
/** Bad rows of an accepted file wait for the next pause between chunks until they are this many bytes. */
const FLUSH_AT = 8 * 1024 * 1024;
/** A row has at most this many faults in `errors`: 1,600 bad cells a row would make a JSON of half a megabyte. */
const MOST_ERRORS = 100;

/**
 * The bad rows of one load, in bounded memory: rows for COPY into tallyman.quarantine (all of an accepted file, flushed
 * as they come; the first 1,000 of a rejected one) and the groups that a report shows. `load_id` null = a dry run: only
 * counts and groups.
 */
export class QuarantineRecord {
  /** Rows recorded. */
  count = 0;
  readonly groups = new ErrorGroups();
  readonly #loadId: number | null;
  readonly #memberOf: (row: number) => string | null;
  readonly #fit: (text: string) => string;
  readonly #pending = new RowBuffer();
  readonly #kept = new RowBuffer();
  #keptRows = 0;

  /** `memberOf`: of an archive, RecordReader.memberOf. `fit`: what of a text the database can hold. */
  constructor(
    loadId: number | null,
    memberOf: (row: number) => string | null = (): null => null,
    fit: (text: string) => string = (text): string => text,
  ) {
    this.#loadId = loadId;
    this.#memberOf = memberOf;
    this.#fit = fit;
  }

  /**
   * Records one bad row. `raw` is the record without its line end, as far as it is held; `rawLength` its whole length
   * in bytes. Copies what it needs.
   */
  add(place: BadRowPlace, errors: readonly CellError[], raw: Buffer, rawLength: number): void {
    this.count++;
    this.groups.add(place, errors);
    if (this.#loadId === null) return;
    const json = errorsJson(errors, this.#memberOf(place.row), this.#fit);
    this.#pending.row(this.#loadId, place, json, raw, rawLength);
    if (this.#keptRows < KEPT_ROWS && this.#kept.length < KEPT_BYTES) {
      this.#keptRows++;
      this.#kept.row(this.#loadId, place, json, raw.subarray(0, KEPT_RAW), rawLength);
    }
  }

  /** True when the rows not yet flushed should be. */
  get full(): boolean {
    return this.#pending.length >= FLUSH_AT;
  }

  /**
   * Takes the rows that were not yet flushed: binary COPY tuples without header and trailer; empty when there are none.
   */
  take(): Buffer {
    return this.#pending.take();
  }

  /** The first rows, for a rejected file; the same form. */
  kept(): Buffer {
    return this.#kept.take();
  }

  report(): readonly ErrorGroup[] {
    return this.groups.report();
  }
}

/**
 * `errors jsonb` (docs/spec/postgresql.md#quarantine); of an archive each with the `member`, the row's line and offset
 * being those within it.
 */
function errorsJson(errors: readonly CellError[], member: string | null, fit: (text: string) => string): Buffer {
  const visible = (text: string): string => fit(visibleString(text));
  const origin = member === null ? {} : { member: visible(member) };
  const shown = errors.slice(0, MOST_ERRORS).map((error) => ({
    column: error.column === null ? null : visible(error.column),
    class: error.class,
    rule: error.rule,
    message: visible(error.message),
    value: error.value === null ? null : visible(error.value),
    ...origin,
  }));
  return Buffer.from(JSON.stringify(shown));
}

/** Gathers binary COPY tuples of tallyman.quarantine. */
class RowBuffer {
  length = 0;
  #buf = Buffer.alloc(0);

  row(loadId: number, place: BadRowPlace, json: Buffer, raw: Buffer, rawLength: number): void {
    this.#room(2 + 5 * 12 + 5 + json.length + 4 + raw.length);
    const buf = this.#buf;
    let at = buf.writeInt16BE(QUARANTINE_COLUMNS.length, this.length);
    at = bigint(buf, at, loadId);
    at = bigint(buf, at, place.row);
    at = bigint(buf, at, place.line);
    at = bigint(buf, at, place.offset);
    at = buf.writeInt32BE(json.length + 1, at);
    at = buf.writeUInt8(1, at); // version of jsonb's binary form
    at += json.copy(buf, at);
    at = buf.writeInt32BE(raw.length, at);
    at += raw.copy(buf, at);
    this.length = bigint(buf, at, rawLength);
  }

  take(): Buffer {
    const rows = this.#buf.subarray(0, this.length);
    this.#buf = Buffer.alloc(0);
    this.length = 0;
    return rows;
  }

  #room(more: number): void {
    if (this.length + more <= this.#buf.length) return;
    const larger = Buffer.allocUnsafe(Math.max(64 * 1024, 2 * this.#buf.length, this.length + more));
    this.#buf.copy(larger, 0, 0, this.length);
    this.#buf = larger;
  }
}

function bigint(buf: Buffer, at: number, value: number | null): number {
  if (value === null) return buf.writeInt32BE(-1, at);
  const next = buf.writeInt32BE(8, at);
  return buf.writeBigInt64BE(BigInt(value), next);
}
