import { messageOf, TallymanError } from '../core/errors.js';
import type { LoadResult } from '../core/load.js';
import { databaseError, endsSession, isServerError } from '../postgres/connect/errors.js';
import { OutcomeUnknown } from './transaction/commit.js';

/**
 * What an error that ended a load means for its file (core/errors.ts, blame). `file` errors became rejections before
 * they get here.
 */
export function outcomeOf(error: unknown, aborted: boolean): LoadResult {
  if (error instanceof OutcomeUnknown)
    return { outcome: 'unknown', error: new TallymanError('DATABASE_UNREACHABLE', error.message).reported() };
  // Whatever it was that failed while the load was being called off, it says nothing about the file.
  if (aborted)
    return {
      outcome: 'unreachable',
      error: new TallymanError('INTERRUPTED', 'the load was called off and rolled back').reported(),
    };
  const known = asLoadError(error);
  switch (known.blame) {
    case 'version':
      return { outcome: known.code === 'FILE_VANISHED' ? 'vanished' : 'changed', message: known.message };
    case 'pause':
      return { outcome: 'unreachable', error: known.reported(), reach: known.reach };
    case 'feed':
      return { outcome: 'misfit', error: known.reported() };
    case 'file':
    case 'attempt':
    case 'command':
      return { outcome: 'failed', error: known.reported() };
  }
}

/** For errors that carry no rows but whose class says row: outside COPY nothing is a row's fault. */
function asLoadError(error: unknown): TallymanError {
  if (error instanceof TallymanError) return error;
  if (isServerError(error) || endsSession(error)) return databaseError(error, 'loading');
  return new TallymanError('INTERNAL', `loading: ${messageOf(error)}`, { cause: error });
}
