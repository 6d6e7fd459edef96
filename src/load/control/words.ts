import { TallymanError } from '../../core/errors.js';

/** Named groups of a control record. */
export type Groups = ReadonlyMap<string, string>;

/** One place in which a sender says something about a file. */
export interface Speaker {
  /** For messages: "the trailer", "the manifest". */
  readonly name: string;
  /** Declared number of records, by the feed's own counting (rows_offset); null = it says none. */
  readonly rows: number | null;
  /**
   * What it says under the name of a total; undefined = nothing. Of several files in an archive all they say: it is
   * added up.
   */
  readonly total: (name: string) => readonly string[] | undefined;
}

/** `"00012"` -> 12. Throws CONTROL_MISSING when it is no number of records. */
export function rowsOf(text: string, speaker: string): number {
  const digits = text.trim();
  const rows = /^\d+$/.test(digits) ? Number(digits) : NaN;
  if (!Number.isSafeInteger(rows))
    throw new TallymanError(
      'CONTROL_MISSING',
      `${speaker} says ${JSON.stringify(text.slice(0, 80))} where the number of rows should be`,
    );
  return rows;
}
