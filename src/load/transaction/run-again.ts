/** Why a load was rolled back only to be run once more, without blame on file, table or attempt. */
export type AgainReason =
  /** The table was altered, dropped or made anew since it was looked at. */
  | 'table-changed'
  /** The loads to be replaced changed while this one ran. */
  | 'replaced-changed'
  /** PostgreSQL refused a row although the catalog shows nothing that could: run it in chunks. */
  | 'refused-rows'
  /** The receipt that was in the way is gone again. */
  | 'no-winner';

export class RunAgain extends Error {
  override readonly name = 'RunAgain';
  readonly reason: AgainReason;

  constructor(reason: AgainReason) {
    super(reason);
    this.reason = reason;
  }
}
