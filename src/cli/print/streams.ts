import process from 'node:process';
import { isatty } from 'node:tty';
import { FdWriter } from '../../base/fd-writer.js';
import { hasCode } from '../../base/errno.js';
import { visible } from '../../base/text/terminal-text.js';
import { messageOf, TallymanError } from '../../core/errors.js';

/** Bytes of messages that wait for a reader who does not read; what comes beyond is dropped and counted. */
const MESSAGES_WAITING = 1_048_576;
/** Pieces of data that wait for their reader before the next is made, bytes. */
const DATA_WAITING = 1_048_576;
/** How long the end of the process waits for whoever reads the messages, milliseconds. */
const LAST_MESSAGES_MS = 2_000;

let out: FdWriter | null = null;
let err: FdWriter | null = null;
const data = (): FdWriter => (out ??= new FdWriter(1, { limit: Infinity }));
/** For messages and logs: never waits, never throws. */
export const messages = (): FdWriter => (err ??= new FdWriter(2, { limit: MESSAGES_WAITING }));

const BOLD = { on: '\u001b[1m', off: '\u001b[22m' };
const OWN = new RegExp('(\\u001b\\[1m|\\u001b\\[22m)');
/** The line that shows how far loads are; empty = none. It stands below all that is said. */
let below = '';

export const isTerminal = (fd: 1 | 2): boolean => isatty(fd);

/** Colour only on a terminal, and never with NO_COLOR. */
export const hasColour = (fd: 1 | 2): boolean => isTerminal(fd) && (process.env['NO_COLOR'] ?? '') === '';

export const bold = (text: string): string => (hasColour(1) ? `${BOLD.on}${text}${BOLD.off}` : text);

/** For people: whatever stands in it, nothing steers the terminal. */
export function printText(text: string): void {
  above(() => data().write(guarded(text)));
}

/** As it stands, for programs; guarded only where it is shown at once. */
export function printData(text: string): void {
  above(() => data().write(isTerminal(1) ? guarded(text) : text));
}

/** Columns of the terminal; null = data goes elsewhere. */
export const terminalWidth = (): number | null => (isTerminal(1) ? process.stdout.columns || 80 : null);

/** Home, and what is below away: what is printed next stands in the same place. Nothing where data goes elsewhere. */
export function clearScreen(): void {
  if (isTerminal(1)) data().write('\u001b[H\u001b[J');
}

/** Data that is made piece by piece: waits for the reader. Throws what ended the writing. */
export async function printPieces(pieces: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new TallymanError('INTERRUPTED', 'the output was interrupted');
    printData(piece);
    await data().room(DATA_WAITING, signal);
    const failed = outputFailure();
    if (failed !== null) throw failed;
  }
}

export function say(text: string): void {
  above(() => messages().write(guarded(text)));
}

/** Takes the line away, lets `write` write, and draws it again. */
function above(write: () => void): void {
  if (below === '') return write();
  const line = below;
  showBelow('');
  write();
  showBelow(line);
}

/** One line that changes, on a terminal; what is printed comes above it. */
export function showBelow(line: string): void {
  const erase = below === '' ? '' : '\r\u001b[K';
  // Nobody reads: a line that will be old when it is read is not worth keeping.
  if (line !== '' && !messages().isIdle) return;
  below = line;
  if (erase !== '' || line !== '') messages().write(erase + visible(line));
}

/** Why data could not be written; a reader that went away (`| head`) is no failure, there was nobody to write for. */
export function outputFailure(): TallymanError | null {
  const failure = out?.failure ?? null;
  if (failure === null) return null;
  return new TallymanError('DISK_FULL', `the output cannot be written: ${messageOf(failure).replace(/, write$/, '')}`, {
    cause: failure,
    fix: 'Free space, or send the output to another place; then run the command again.',
  });
}

export const isReaderGone = (): boolean => hasCode(out?.failure, 'EPIPE', 'ECONNRESET');

/**
 * Before the process ends: what it printed has been taken, however long the reader takes, unless a signal asks to end;
 * what it said has been taken, or nobody reads.
 */
export async function written(signal: AbortSignal): Promise<void> {
  await out?.drained(signal);
  await err?.drained(AbortSignal.timeout(LAST_MESSAGES_MS));
}

/** Our own bold stays. */
const guarded = (text: string): string =>
  text.includes(BOLD.on) && hasColour(1)
    ? text
        .split(OWN)
        .map((part) => (part === BOLD.on || part === BOLD.off ? part : visible(part)))
        .join('')
    : visible(text);
