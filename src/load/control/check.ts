import { ExactSum } from '../../columns/numbers/exact-sum.js';
import { TallymanError } from '../../core/errors.js';
import type { Algorithm } from '../../core/feed/control.js';
import type { Total } from './total.js';
import type { Totals } from './totals.js';
import type { Speaker } from './words.js';

/**
 * How many records the file is said to hold: by whoever says so first; null = nobody. Those who disagree are named by
 * `checkRows`: until then the first word stands in the report.
 */
export const declaredRows = (speakers: readonly Speaker[]): number | null =>
  speakers.find((speaker) => speaker.rows !== null)?.rows ?? null;

/** Throws DECLARED_ROWS_MISMATCH with both sides when two speakers disagree, or when one and the file do. */
export function checkRows(speakers: readonly Speaker[], read: number): void {
  const said = speakers.filter((speaker) => speaker.rows !== null);
  if (said.every((speaker) => speaker.rows === read)) return;
  const words = said.map(({ name, rows }) => `${name} says ${rows} ${rows === 1 ? 'row' : 'rows'}`);
  throw new TallymanError('DECLARED_ROWS_MISMATCH', `${words.join(', ')}; ${read} ${read === 1 ? 'was' : 'were'} read`);
}

/** A checksum that somebody says the file has. */
export interface SaidDigest {
  readonly algorithm: Algorithm;
  readonly digest: string;
  /** For messages: "the manifest", "a.csv.sha256". */
  readonly by: string;
}

/** Throws CHECKSUM_MISMATCH with both sides. `digests`: of the delivered bytes. */
export function checkDigests(said: readonly SaidDigest[], digests: ReadonlyMap<string, string>): void {
  for (const { algorithm, digest, by } of said) {
    const found = digests.get(algorithm);
    if (found === undefined) throw new TallymanError('INTERNAL', `${algorithm} of the file was not computed`);
    if (digest.toLowerCase() !== found)
      throw new TallymanError(
        'CHECKSUM_MISMATCH',
        `${by} says ${algorithm} ${digest.slice(0, 128)}, the file has ${found}`,
      );
  }
}

/** Throws TOTALS_MISMATCH with both sides, and CONTROL_MISSING when nobody says a total that the feed asks for. */
export function checkTotals(speakers: readonly Speaker[], totals: Totals): void {
  for (const total of totals.totals) {
    const found = total.sum.toString();
    let said = false;
    for (const speaker of speakers) {
      const texts = speaker.total(total.name);
      if (texts === undefined) continue;
      said = true;
      if (declaredTotal(texts, total, speaker.name) !== found) throw differs(total, speaker.name, texts, found);
    }
    if (!said)
      throw new TallymanError(
        'CONTROL_MISSING',
        `nothing says the total ${JSON.stringify(total.name)} of ${total.column.name}: ${speakers.map((speaker) => speaker.name).join(' and ')} have no such value`,
      );
  }
}

/** In the form of the column's cells, else plain with a point. */
function declaredTotal(texts: readonly string[], { column, name }: Total, by: string): string {
  const sum = new ExactSum(column);
  const plain = new ExactSum();
  if (texts.every((text) => text.trim() !== '' && sum.addText(text))) return sum.toString();
  if (texts.every((text) => plain.addText(text))) return plain.toString();
  throw new TallymanError(
    'CONTROL_MISSING',
    `${by} says ${JSON.stringify(texts.join(', ').slice(0, 80))} for ${name}, which is no number`,
  );
}

function differs({ column, strange }: Total, by: string, texts: readonly string[], found: string): TallymanError {
  const added =
    strange === 0
      ? ''
      : `; ${strange} ${strange === 1 ? 'cell is no number and was' : 'cells are no numbers and were'} not added`;
  return new TallymanError(
    'TOTALS_MISMATCH',
    `${by} says ${texts.map((text) => text.trim().slice(0, 80)).join(' + ')} for ${column.name}, all records together have ${found}${added}`,
  );
}
