import { hasCode } from '../base/errno.js';
import type { Reach } from './database.js';
import { ERRORS, isErrorCode, type Blame, type ErrorCode } from './errors/table.js';

export { ERRORS, isErrorCode, type Blame, type ErrorCode } from './errors/table.js';

/** An error that people read: what failed, where, what to do. Never holds a secret. */
export class TallymanError extends Error {
  override readonly name = 'TallymanError';
  readonly code: ErrorCode;
  /** What to do next; the table's unless the place knows better. */
  readonly fix: string;
  readonly reach: Reach;

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly fix?: string; readonly cause?: unknown; readonly reach?: Reach },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reach = options?.reach ?? 'database';
    this.fix = options?.fix ?? (isFewDescriptors(options?.cause) ? MORE_DESCRIPTORS : ERRORS[code].fix);
  }

  get blame(): Blame {
    return ERRORS[this.code].blame;
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }

  /** Anything thrown as one of ours: itself if it is one, else with this code and itself as the cause. */
  static of(error: unknown, code: ErrorCode = 'INTERNAL'): TallymanError {
    return error instanceof TallymanError ? error : new TallymanError(code, messageOf(error), { cause: error });
  }

  /** Back from a report (a worker thread posts plain data). An unknown code becomes INTERNAL. */
  static from(reported: { readonly code: string; readonly message: string; readonly fix: string }): TallymanError {
    return new TallymanError(isErrorCode(reported.code) ? reported.code : 'INTERNAL', reported.message, {
      fix: reported.fix,
    });
  }

  /** The part that goes into reports. */
  reported(): { code: ErrorCode; message: string; fix: string } {
    return { code: this.code, message: this.message, fix: this.fix };
  }
}

/** Whatever could not be opened, a disk or a source: it was not that which was at fault. */
const MORE_DESCRIPTORS = 'Raise the limit of open files (ulimit -n, LimitNOFILE of the service); 1,024 are plenty.';

/** This process, or the machine, has no descriptors left. */
export const isFewDescriptors = (error: unknown): boolean => hasCode(error, 'EMFILE', 'ENFILE');

/** Text of anything thrown, for a message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
