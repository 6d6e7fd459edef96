/** One record, taken apart. */
export interface SplitRecord {
  /** Values as bytes, quotes and escapes resolved; at most as many as were asked for. */
  readonly cells: readonly Buffer[];
  /** Cells that the record has. */
  readonly found: number;
}

/** Stands in `cells` for an empty string where the format tells it from nothing: this very object, not its bytes. */
export const EMPTY_TEXT = Buffer.alloc(0);
