import { COMMENT, hasComments } from './sniff-comment.js';
import { looserQuoting } from './sniff-quotes.js';
import { scanSample, type Scanned, type Trial } from './sniff-scan.js';

/** In order of preference: with equal evidence the first one wins. */
const COMMON = [',', ';', '\t', '|'] as const;
/** These stand in no text at all. */
const CONTROL = ['\u0001', '\u001f'] as const;
/** Only where none of the common ones makes columns: they stand in texts and times too. */
const RARE = ['|~|', '~|~', '||', '::', '^', '~', '\u00a6'] as const;
/** These stand in dates and times as well. */
const WEAK = [':', ' '] as const;

/** Every delimiter that is tried. */
export const CANDIDATES: readonly string[] = [...COMMON, ...CONTROL, ...RARE, ...WEAK];

/** What a sample of a file says about its dialect. */
export interface Sniffed extends Trial {
  /** Cells of the usual record. */
  readonly width: number;
  /** Records of that width among all that were read, 0 to 1. */
  readonly share: number;
  /** False when the sample does not show a delimiter: one column, or no width that most records have. */
  readonly sure: boolean;
  /** Another delimiter that would do as well; null = none comes near. */
  readonly rival: string | null;
  /** The first line is Excel's mark (`sep=;`), which says the delimiter. */
  readonly mark: boolean;
  readonly scanned: Scanned;
}

/** The delimiter that Excel's mark in the first line says; null = there is no mark. */
export function delimiterMark(sample: Buffer): string | null {
  const text = sample.toString('utf8', 0, 64).replace(/^\ufeff/, '');
  return /^"?sep=([^\s"]{1,4}|\t)"?[;,\t|]*(?:\r|\n|$)/i.exec(text)?.[1] ?? null;
}

/** What is known already and not to be found out. */
export interface SniffOptions {
  /** Nothing comes behind the sample. */
  readonly whole: boolean;
  /** Quote, escape, comment and skipped lines of the feed: only the delimiter is sought. */
  readonly fixed?: Omit<Trial, 'delimiter'>;
}

/** Bytes that are tried out, at some milliseconds a candidate. */
const ENOUGH = 256 * 1024;

/**
 * Finds the dialect of delimited text by trying candidates with the real scanner: the one under which most records have
 * one and the same number of cells, its cells hold none of the other delimiters, and no quote is at fault.
 */
export async function sniffDialect(sample: Buffer, options: SniffOptions): Promise<Sniffed> {
  const whole = options.whole && sample.length <= ENOUGH;
  const bytes = whole ? sample : cutAtLine(sample.subarray(0, ENOUGH));
  const mark = delimiterMark(bytes);
  if (mark !== null && options.fixed === undefined) {
    const { scanned, width, share } = await bestQuoting(bytes, whole, mark, 1);
    return { ...scanned.trial, width, share, sure: true, rival: null, mark: true, scanned };
  }
  const control = await best(bytes, whole, CONTROL, options.fixed);
  const common =
    control !== null && control.score >= CONVINCING ? control : await best(bytes, whole, COMMON, options.fixed);
  const convinces = common !== null && common.score >= CONVINCING;
  const rare = await best(bytes, whole, convinces ? RARE : [...RARE, ...WEAK], options.fixed);
  const found = convinces && (rare === null || !takesMore(rare, common)) ? common : (rare ?? common);
  const longer =
    found === null ? undefined : RARE.find((token) => isPartOf(found.scanned.trial.delimiter, token, bytes));
  const chosen = longer === undefined ? found : ((await best(bytes, whole, [longer], options.fixed)) ?? found);
  const sure = chosen !== null && chosen.score >= CONVINCING;
  if (sure)
    return {
      ...chosen.scanned.trial,
      width: chosen.width,
      share: chosen.share,
      sure,
      rival: chosen.rival ?? rivalOf(chosen, rare),
      mark: false,
      scanned: chosen.scanned,
    };
  const { scanned, width, share } = await tried(bytes, whole, ',', options.fixed);
  return { ...scanned.trial, width, share, sure: false, rival: null, mark: false, scanned };
}

/** By the quoting that is fixed, or by the one that makes the best of it. */
const tried = async (
  bytes: Buffer,
  whole: boolean,
  delimiter: string,
  fixed: SniffOptions['fixed'],
): Promise<Judged> =>
  fixed === undefined
    ? await bestQuoting(bytes, whole, delimiter)
    : judge(bytes, await scanSample(bytes, whole, { ...fixed, delimiter }));

/** The delimiter only ever stands as part of a longer token: `|` in `a||b||c`. */
function isPartOf(delimiter: string, token: string, bytes: Buffer): boolean {
  if (token.length <= delimiter.length || !token.includes(delimiter) || !bytes.includes(token)) return false;
  return !bytes.toString('latin1', 0, 65_536).replaceAll(token, '').includes(delimiter);
}

const CONVINCING = 0.6;
/** How near to the best a rival has to come to be told. */
const NEAR = 0.05;

interface Judged {
  readonly scanned: Scanned;
  readonly width: number;
  readonly share: number;
  readonly score: number;
  /** It makes a table from its first record of the usual width on. */
  readonly steady: boolean;
}

async function best(
  bytes: Buffer,
  whole: boolean,
  delimiters: readonly string[],
  fixed: SniffOptions['fixed'],
): Promise<(Judged & { readonly rival: string | null }) | null> {
  const judged: Judged[] = [];
  for (const delimiter of delimiters) {
    if (!bytes.includes(delimiter)) continue;
    if (
      fixed !== undefined &&
      (clash(fixed.quote, delimiter) || clash(fixed.comment, delimiter) || clash(fixed.escape, delimiter))
    )
      continue;
    judged.push(await tried(bytes, whole, delimiter, fixed));
  }
  judged.sort((a, b) => b.score - a.score);
  const [most] = judged;
  if (most === undefined) return null;
  const first = judged.find((other) => takesMore(other, most)) ?? most;
  const second = judged.find((one) => one !== first);
  return {
    ...first,
    rival: rivalOf(first, second ?? null),
  };
}

/** The delimiter of the other one, when it would do as well. */
const rivalOf = (first: Judged, other: Judged | null): string | null =>
  other !== null &&
  other.scanned.trial.delimiter !== first.scanned.trial.delimiter &&
  other.score >= CONVINCING &&
  first.score - other.score < NEAR
    ? other.scanned.trial.delimiter
    : null;

/** The first record of the usual width. */
const startOf = ({ scanned: { widths }, width }: Judged): number => widths.indexOf(width);

/**
 * The header decides: a delimiter that makes a table of as many records and of one above it, which the other takes for
 * a title, is the delimiter. The other one stands in cells.
 */
const takesMore = (one: Judged, other: Judged): boolean =>
  one.score >= CONVINCING &&
  one.steady &&
  one.share >= other.share &&
  startOf(one) < startOf(other) &&
  !weak(one.scanned.trial.delimiter);

const clash = (token: string | null | undefined, delimiter: string): boolean =>
  token !== null && token !== undefined && (token.startsWith(delimiter) || delimiter.startsWith(token));

/**
 * The quoting under which a delimiter makes the best of the sample. Plain `"` wins ties: it is what a file without any
 * quote has too.
 */
async function bestQuoting(bytes: Buffer, whole: boolean, delimiter: string, skipLines = 0): Promise<Judged> {
  const signs = delimiter !== COMMENT && /^#/m.test(bytes.toString('latin1'));
  const attempt = async (quote: string | null, escape?: string): Promise<Judged> =>
    await attemptAll({ quote, ...(escape === undefined ? {} : { escape }) });
  const attemptAll = async (part: Partial<Trial>): Promise<Judged> => {
    const trial: Trial = { quote: '"', ...part, delimiter, comment: null, skipLines };
    const plain = await scanSample(bytes, whole, trial);
    return judge(
      bytes,
      signs && hasComments(bytes, whole, plain, usualWidth(plain).width)
        ? await scanSample(bytes, whole, { ...trial, comment: COMMENT })
        : plain,
    );
  };
  let found = await attempt('"');
  const better = (other: Judged): boolean =>
    other.score > found.score + 0.001 ||
    (other.scanned.faults < found.scanned.faults && other.score >= found.score - 0.02);
  if (bytes.includes('\\"')) {
    const escaped = await attempt('"', '\\');
    if (better(escaped)) found = escaped;
  }
  if (found.scanned.quoted === 0 && wrapped(bytes, delimiter)) {
    const strict = await attempt("'");
    const single = strict.scanned.faults === 0 ? strict : await looserQuoting(bytes, strict, attemptAll);
    if (single.scanned.faults === 0 && single.score >= found.score) found = single;
  }
  // The majority decides: one bad quote among many good ones is a bad quote.
  if (found.scanned.faults > found.scanned.quotedRecords) {
    const unquoted = await attempt(null);
    if (better(unquoted) && unquoted.scanned.faults < found.scanned.faults) found = unquoted;
  }
  return found.width < 2 ? found : await looserQuoting(bytes, found, attemptAll);
}

/** Cells in single quotes on both sides, at least two and nearly all that begin so: 'tis is no quote. */
function wrapped(bytes: Buffer, delimiter: string): boolean {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, 65_536));
  const between = delimiter.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const opened = text.match(new RegExp(`(?:^|${between})'`, 'gm'))?.length ?? 0;
  const closed = text.match(new RegExp(`'(?=\\r?$|${between})`, 'gm'))?.length ?? 0;
  return opened >= 2 && closed >= opened * 0.9;
}

/** The number of cells that most records have; a header or records before it may have another. */
export function usualWidth({ widths, faults }: Scanned): { readonly width: number; readonly share: number } {
  const counts = new Map<number, number>();
  for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
  let width = widths[0] ?? 1;
  // Of widths that are equally frequent the latest: lines before the header come first.
  for (const [candidate, count] of counts) if (count >= (counts.get(width) ?? 0)) width = candidate;
  const all = widths.length + faults;
  return { width, share: all === 0 ? 0 : (counts.get(width) ?? 0) / all };
}

/**
 * 0 to 1. Records of equal width count; foreign delimiters inside of cells, records of other widths before the first
 * usual one, and faults of quotes take away. A width of 1 is no evidence at all.
 */
function judge(bytes: Buffer, scanned: Scanned): Judged {
  const { width, share } = usualWidth(scanned);
  if (width < 2) return { scanned, width, share, score: 0, steady: false };
  if (weak(scanned.trial.delimiter) && (share < 0.9 || scanned.widths[0] !== width || moments(bytes, scanned)))
    return { scanned, width, share, score: 0, steady: false };
  const faulty = scanned.faults / (scanned.faults + scanned.widths.length);
  const before = scanned.widths.findIndex((cells) => cells === width);
  // Of 2 records 1 is not half of the evidence against: a preamble line above a single record.
  const preamble = before <= 0 ? 0 : Math.min(0.1, 0.02 + (0.1 * before) / scanned.widths.length);
  // More columns are better evidence than fewer, a little.
  const columns = 0.02 * Math.min(1, Math.log2(width) / 6);
  const single = scanned.widths.length === 1 ? 0.1 : 0;
  const score = share - faulty - preamble - foreign(bytes, scanned, width) - single + columns;
  return { scanned, width, share, score, steady: steady(bytes, scanned, before, width) };
}

/** Blanks and colons stand in dates and times too: they delimit only what is delimited from the first record on. */
const weak = (delimiter: string): boolean => delimiter === ' ' || delimiter === ':';

/** Most records are one date with a time, not two columns. */
function moments(bytes: Buffer, { spans }: Scanned): boolean {
  const sample = spans
    .slice(0, 100)
    .map(({ start, end }) => bytes.toString('latin1', start, Math.min(end, start + 60)));
  return (
    sample.filter((text) =>
      /^["']?[\d\-/.]*[ T]?\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?(?: ?(?:z|utc|gmt|[-+]\d{2}:?\d{2}))?["']?$/i.test(
        text,
      ),
    ).length >
    sample.length / 2
  );
}

/** The record and the two below it have the usual width; a line of dashes between them does not count. */
function steady(bytes: Buffer, { widths, spans }: Scanned, row: number, width: number): boolean {
  const isRuler = (at: number): boolean =>
    spans[at] !== undefined && /^[-=_~*+:|\s]+$/.test(bytes.toString('latin1', spans[at].start, spans[at].end));
  const next = isRuler(row + 1) ? row + 2 : row + 1;
  return widths[row] === width && widths.slice(next, next + 2).every((cells) => cells === width);
}

/**
 * How much of the records would fall apart further by a delimiter that does not belong into cells. One that stands in
 * no name of the header, or more rarely than the delimiter itself, does: a list within a cell.
 */
function foreign(bytes: Buffer, scanned: Scanned, width: number): number {
  const { trial, spans, widths } = scanned;
  const texts = spans
    .slice(0, 200)
    .map(({ start, end }) => unquoted(bytes.toString('latin1', start, end), trial.quote));
  if (texts.length === 0) return 0;
  const holding = (test: (text: string) => boolean): number => texts.filter(test).length / texts.length;
  const header = Math.max(0, widths.indexOf(width));
  const count = (row: number, token: string): number => (texts[row] ?? '').split(token).length - 1;
  const listed = (other: string): boolean =>
    steady(bytes, scanned, header, width) &&
    (count(header, other) === 0 || count(header, other) < count(header, trial.delimiter));
  let loss = 0;
  for (const other of [';', '\t', '|']) {
    if (trial.delimiter.includes(other) || listed(other)) continue;
    // With a blank behind it each time it is a sign of sentences.
    const share = holding((text) => text.split(other).some((rest, index) => index > 0 && !rest.startsWith(' ')));
    if (share > 0.5) loss += 0.3 * share;
  }
  // A comma between digits is a decimal sign, one with a blank behind it stands in a text.
  if (trial.delimiter !== ',' && !listed(',')) {
    const share = holding((text) => /[^\d\s],(?!\s)|,(?![\d\s])/.test(text));
    if (share > 0.7) loss += 0.2 * share;
  }
  return loss;
}

const unquoted = (text: string, quote: string | null): string =>
  quote === '"' ? text.replace(/"[^"]*"/g, '""') : quote === "'" ? text.replace(/'[^']*'/g, "''") : text;

/** Up to the last line end, so that no record is cut where none has to be. */
function cutAtLine(bytes: Buffer): Buffer {
  const at = Math.max(bytes.lastIndexOf(0x0a), bytes.lastIndexOf(0x0d));
  return at > 0 ? bytes.subarray(0, at + 1) : bytes;
}
