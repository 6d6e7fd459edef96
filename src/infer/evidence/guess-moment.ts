import type { Evidence, Guess } from './column-guess.js';
import { widest, type Candidate, type MomentEvidence, type MomentGroup } from './moment-evidence.js';
import type { ColumnProfile } from './profile.js';

const DAY = 86_400;
/** Names of columns whose numbers may be dates. */
const DATE_NAME = /date|time|day|datum|fecha|jour|tag|stamp|(^|_)(dt|dob|ts)($|_)|_(at|on)$/i;

/** Dates and times; null = the column is none. */
export function guessMoment(profile: ColumnProfile, name: string, evidence: Evidence): Guess | null {
  const { moments, numbers } = profile;
  const { groups } = moments;
  if (groups === null || groups.length === 0) return null;
  const holds = widest(groups);
  if (groups.some((group) => group.holds === 'time') !== groups.every((group) => group.holds === 'time')) return null;
  const chosen = groups.map((group) => ({ group, ...chooseFormat(group, evidence) }));
  const doubts = chosen.flatMap(({ doubt }) => (doubt === null ? [] : [doubt]));
  const digitsOnly = numbers.isAlive() && numbers.separators === 0;
  if (digitsOnly) {
    const plausible = chosen.every(({ candidate }) => candidate.format.startsWith('%Y%m%d')) || DATE_NAME.test(name);
    if (!plausible) return null;
    doubts.push('every value is a day of the calendar; if they are numbers, make it integer');
  }
  const formats =
    groups.length === 1 && groups[0]!.key.startsWith('iso') && chosen[0]!.candidate.format === ''
      ? []
      : chosen.flatMap(({ group, candidate }) =>
          candidate.format === '' ? isoFormats(group, moments) : [candidate.format],
        );
  if (groups.length > 1)
    doubts.push(
      `${groups.length} forms side by side: ${groups.map((group) => `${JSON.stringify(group.example)} (${group.count})`).join(', ')}`,
    );
  if (
    holds === 'timestamptz' &&
    (moments.sawNoZone || groups.some((group) => group.holds === 'timestamp' || group.holds === 'date'))
  )
    doubts.push('some values have no offset: read as UTC unless timezone says otherwise');
  if (formats.some((format) => format.includes('%y'))) doubts.push('years of two digits: 69 to 99 are 19xx');
  const round = chosen.some(({ candidate }) => candidate.round);
  if (round) doubts.push('digits past microseconds: PostgreSQL keeps six, round: true drops the rest');
  return { type: holds, ...(formats.length === 0 ? {} : { formats }), ...(round ? { round } : {}), doubts };
}

/** In a list of formats ISO has to be written out. */
function isoFormats(group: MomentGroup, moments: MomentEvidence): string[] {
  if (group.holds === 'time') return ['%H:%M:%S', '%H:%M'];
  if (!moments.sawTime) return ['%Y-%m-%d'];
  const clocks = ['%H:%M:%S', '%H:%M:%S.%f', '%H:%M'].flatMap((clock) =>
    moments.sawZone ? [`${clock}%z`, clock] : [clock],
  );
  return [...clocks.flatMap((clock) => [`%Y-%m-%d ${clock}`, `%Y-%m-%dT${clock}`]), '%Y-%m-%d'];
}

/** Of the formats that every value fits, the one that the evidence speaks for. */
function chooseFormat(
  group: MomentGroup,
  evidence: Evidence,
): { readonly candidate: Candidate; readonly doubt: string | null } {
  const { candidates } = group;
  const [first, second] = candidates;
  if (first === undefined) throw new RangeError('a group of dates has a format that fits');
  if (second === undefined || first.format === '') return { candidate: first, doubt: null };
  const { candidate, why } = byEvidence(group, evidence);
  const others = candidates
    .filter((other) => other !== candidate)
    .map(({ format }) => format)
    .join(' and ');
  return { candidate, doubt: `every value also fits ${others}: ${why}` };
}

function byEvidence(
  { candidates, count }: MomentGroup,
  { dayFirst, fileDate }: Evidence,
): { readonly candidate: Candidate; readonly why: string } {
  const byDay = (first: boolean): Candidate | undefined =>
    candidates.find(({ format }) => startsWithDay(format) === first && !/^%[yY]/.test(format.replace(/^%a,? /, '')));
  if (dayFirst !== null) {
    const candidate = byDay(dayFirst);
    if (candidate !== undefined)
      return { candidate, why: `taken as ${dayFirst ? 'day' : 'month'} first, as in another column` };
  }
  if (fileDate !== null) {
    const away = (candidate: Candidate): number =>
      Math.min(Math.abs(candidate.most - fileDate), Math.abs(candidate.least - fileDate)) / DAY;
    const [nearest, next] = [...candidates].sort((a, b) => away(a) - away(b));
    if (nearest !== undefined && next !== undefined && away(nearest) <= 7 && away(next) > 3 * away(nearest) + 2)
      return { candidate: nearest, why: "so read, it agrees with the date in the file's name" };
  }
  const spans = [...candidates].sort((a, b) => a.most - a.least - (b.most - b.least));
  const [closest, next] = spans;
  if (
    count >= 3 &&
    closest !== undefined &&
    next !== undefined &&
    next.most - next.least > 3 * Math.max(DAY, closest.most - closest.least)
  )
    return { candidate: closest, why: 'so read, the days lie close together' };
  const sorted = candidates.filter(({ rising }) => count >= 8 && rising >= count * 0.98);
  if (sorted.length === 1) return { candidate: sorted[0]!, why: 'so read, the file is in order of time' };
  const american = candidates.find(
    ({ format }) => format.includes('%p') && format.includes('%m') && !startsWithDay(format),
  );
  if (american !== undefined)
    return { candidate: american, why: 'month first is usual with AM and PM. Ask the sender' };
  return { candidate: byDay(true) ?? candidates[0]!, why: 'nothing tells which; day first was taken. Ask the sender' };
}

const startsWithDay = (format: string): boolean => format.replace(/^%a,? /, '').startsWith('%d');

/** What a column whose order is beyond doubt says about the others; null = nothing. */
export function dayFirstOf({ moments }: ColumnProfile): boolean | null {
  for (const group of moments.groups ?? []) {
    const [only, second] = group.candidates;
    if (only === undefined || second !== undefined || !/^%[dm][^b]*%[md]/.test(only.format)) continue;
    return startsWithDay(only.format);
  }
  return null;
}
