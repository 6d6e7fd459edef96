import { timeZoneNamed, type TimeZone } from './time-zone.js';

/**
 * `%Z`: names of zones. `Europe/Paris` is looked up; an abbreviation is a fixed offset, whatever the date, and only
 * those that mean one offset everywhere are known.
 */

const HOUR = 3600;
/** Hours east of UTC (docs/spec/rows-and-values.md#dates-and-times). */
const ABBREVIATIONS: Readonly<Record<string, number>> = {
  utc: 0,
  gmt: 0,
  ut: 0,
  z: 0,
  wet: 0,
  west: 1,
  cet: 1,
  cest: 2,
  mez: 1,
  mesz: 2,
  eet: 2,
  eest: 3,
  msk: 3,
  sast: 2,
  sgt: 8,
  hkt: 8,
  jst: 9,
  kst: 9,
  awst: 8,
  acst: 9.5,
  acdt: 10.5,
  aest: 10,
  aedt: 11,
  nzst: 12,
  nzdt: 13,
  est: -5,
  edt: -4,
  mst: -7,
  mdt: -6,
  pst: -8,
  pdt: -7,
  akst: -9,
  akdt: -8,
  hst: -10,
};

/** Abbreviations that mean more than one offset. */
const AMBIGUOUS: readonly (readonly [name: string, meanings: string])[] = [
  ['ist', 'India, Israel or Ireland'],
  ['cst', 'Central America, China or Cuba'],
  ['cdt', 'Central America or Cuba'],
  ['bst', 'British summer or Bangladesh'],
  ['ast', 'Atlantic or Arabia'],
  ['adt', 'Atlantic or Arabia'],
  ['gst', 'the Gulf or South Georgia'],
  ['sst', 'Samoa or Singapore'],
  ['amt', 'Amazonia or Armenia'],
  ['act', 'Acre or Australia'],
  ['ect', 'Ecuador or the Caribbean'],
  ['wst', 'Western Australia or Samoa'],
];

/** Codes of refusals from here on are ambiguous abbreviations. */
const FIRST_AMBIGUOUS = 40;
const UNKNOWN_ZONE = 39;

/** What a refusal of readZone means; null = it is none of its. */
export function explainZone(code: number): string | null {
  if (code === UNKNOWN_ZONE) return 'no such time zone: Europe/Paris, or one of the abbreviations that mean one offset';
  const found = AMBIGUOUS[code - FIRST_AMBIGUOUS];
  return found === undefined
    ? null
    : `${found[0].toUpperCase()} is the time of ${found[1]}: write the zone's name or its offset`;
}

/** What readZone found: an offset in seconds, or a zone whose offset depends on the date. One object a worker. */
export const foundZone: { offset: number; zone: TimeZone | null; refusal: number } = {
  offset: 0,
  zone: null,
  refusal: 0,
};

/** Names that files have brought, so that Intl is asked once a name. */
const known = new Map<string, TimeZone | null>();
const MOST_KNOWN = 1_000;
const LONGEST = 40;

/** Reads a name into `foundZone`. Returns the position behind it, or -1 with a refusal. */
export function readZone(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isLetter(bytes[at]!)) at++;
  foundZone.zone = null;
  foundZone.refusal = 0;
  if (at === start) return -1;
  if (bytes[at] === 0x2f || bytes[at] === 0x5f) return readName(bytes, start, end);
  const name = bytes.toString('latin1', start, Math.min(at, start + LONGEST)).toLowerCase();
  const hours = Object.hasOwn(ABBREVIATIONS, name) ? ABBREVIATIONS[name] : undefined;
  if (hours === undefined) {
    const index = AMBIGUOUS.findIndex(([one]) => one === name);
    foundZone.refusal = index < 0 ? UNKNOWN_ZONE : FIRST_AMBIGUOUS + index;
    return -1;
  }
  foundZone.offset = hours * HOUR;
  return at;
}

/** `America/Port-au-Prince`, `Etc/GMT+5`. */
function readName(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isNamePart(bytes[at]!)) at++;
  if (at - start <= LONGEST) foundZone.zone = zoneOf(bytes.toString('latin1', start, at));
  if (foundZone.zone !== null) return at;
  foundZone.refusal = UNKNOWN_ZONE;
  return -1;
}

function zoneOf(name: string): TimeZone | null {
  const zone = known.get(name);
  if (zone !== undefined) return zone;
  if (known.size === MOST_KNOWN) known.clear();
  const canonical = canonicalName(name);
  // One zone for all spellings: its pages of offsets are large.
  const found = canonical === null ? null : timeZoneNamed(canonical);
  known.set(name, found);
  return found;
}

function canonicalName(name: string): string | null {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const isLetter = (byte: number): boolean => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
const isNamePart = (byte: number): boolean =>
  isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2f || byte === 0x5f || byte === 0x2d || byte === 0x2b;
