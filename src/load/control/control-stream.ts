import type { Expression } from '../../base/expression/expression.js';
import type { Bytes } from '../../core/format.js';
import { HeaderCut } from './header-cut.js';
import { TrailerCut } from './trailer-cut.js';
import type { Groups } from './words.js';

/** What a text file says about itself in its first and last record, and how both are told from data. */
export interface ControlRecords {
  /** Meets the first non-blank line; null = there is none. */
  readonly header: Expression | null;
  /** Meets the last non-blank record; null = there is none. */
  readonly trailer: Expression | null;
  /** Physical lines that stand before everything (format.skip_lines). */
  readonly skipLines: number;
  /** Lines that begin with this are comments; null = there are none. */
  readonly comment: string | null;
  /** Quote character of the format, and what makes the next character literal; null = no quoting. */
  readonly quote: string | null;
  readonly escape: string | null;
}

/** The records that were cut out of a stream; the trailer is there once the stream has been read to its end. */
export interface CutOut {
  /** The stream without them. Throws CONTROL_MISSING where one is not there. */
  readonly bytes: Bytes;
  readonly header: () => Groups | null;
  readonly trailer: () => Groups | null;
  /**
   * Bytes of the header record that are missing in `bytes`: what stands behind it stands so much further back in the
   * file.
   */
  readonly shift: () => number;
}

/**
 * Takes control records out of the bytes of a text format (UTF-8), before the format sees them: they have another
 * number of cells, and must not count, be quarantined, give the columns' number or tell a shape. The header's line end
 * stays, so that line numbers are those of the file.
 */
export function cutControlRecords(source: Bytes, records: ControlRecords): CutOut {
  const header = records.header === null ? null : new HeaderCut(records.header, records.skipLines, records.comment);
  const trailer = records.trailer === null ? null : new TrailerCut(records.trailer, records.quote, records.escape);
  const headless = header === null ? source : header.cut(source);
  return {
    bytes: trailer === null ? headless : trailer.cut(headless),
    header: () => header?.groups ?? null,
    trailer: () => trailer?.groups ?? null,
    shift: () => header?.removed ?? 0,
  };
}
