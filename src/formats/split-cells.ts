/** One record, taken apart. */
export interface SplitRecord {
  /** Values as bytes, quotes and escapes resolved; at most as many as were asked for. */
  readonly cells: readonly Buffer[];
  /** Cells that the record has. */
  readonly found: number;
}
