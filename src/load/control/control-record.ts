import type { Expression } from '../../base/expression/expression.js';
import { TallymanError } from '../../core/errors.js';
import type { Groups } from './words.js';

/** The record as text, at most so many characters of it in a message. */
const SHOWN = 80;

/** The named groups of a record; throws CONTROL_MISSING when it is not the record that the feed asks for. */
export function groupsOf(pattern: Expression, record: Buffer, what: 'header' | 'trailer'): Groups {
  const text = record.toString('utf8');
  const place = what === 'trailer' ? 'last' : 'first';
  const shown = JSON.stringify(text.slice(0, SHOWN));
  const groups = pattern.catch(text);
  if (groups === undefined) {
    throw new TallymanError(
      'CONTROL_MISSING',
      `it took too long to hold the ${place} record, ${shown}, against control.${what}: ${pattern.source}`,
      { fix: `Say control.${what} without references back to a group, and with fewer repetitions within repetitions.` },
    );
  }
  if (groups === null) {
    throw new TallymanError(
      'CONTROL_MISSING',
      `the ${place} record is no ${what}: ${shown} does not match control.${what}`,
      {
        fix:
          what === 'trailer'
            ? 'The file may be cut off: ask the supplier to send it again. If it is whole, correct control.trailer.'
            : 'Ask the supplier, or correct control.header.',
      },
    );
  }
  return new Map(Object.entries(groups));
}

export function noRecord(what: 'header' | 'trailer', why: string): TallymanError {
  return new TallymanError('CONTROL_MISSING', `there is no ${what} record: ${why}`);
}
