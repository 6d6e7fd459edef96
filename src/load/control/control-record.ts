import { TallymanError } from '../../core/errors.js';
import type { Groups } from './words.js';

/** The record as text, at most so many characters of it in a message. */
const SHOWN = 80;

/** The named groups of a record; throws CONTROL_MISSING when it is not the record that the feed asks for. */
export function groupsOf(pattern: RegExp, record: Buffer, what: 'header' | 'trailer'): Groups {
  const text = record.toString('utf8');
  const match = pattern.exec(text);
  if (match === null) {
    const place = what === 'trailer' ? 'last' : 'first';
    throw new TallymanError(
      'CONTROL_MISSING',
      `the ${place} record is no ${what}: ${JSON.stringify(text.slice(0, SHOWN))} does not match control.${what}`,
      {
        fix:
          what === 'trailer'
            ? 'The file may be cut off: ask the supplier to send it again. If it is whole, correct control.trailer.'
            : 'Ask the supplier, or correct control.header.',
      },
    );
  }
  // A group of a branch that was not taken has no text, whatever its type says.
  const named: Readonly<Record<string, string | undefined>> = match.groups ?? {};
  const groups = Object.entries(named).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  return new Map(groups);
}

export function noRecord(what: 'header' | 'trailer', why: string): TallymanError {
  return new TallymanError('CONTROL_MISSING', `there is no ${what} record: ${why}`);
}
