import Table from 'cli-table3';
import { indented, jsonText, oneLine } from '../../base/text/terminal-text.js';
import { bold, hasColour, printData, printPieces, printText, say } from './streams.js';

/** A table's column: heading, and which way it is set. */
export interface Heading {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Characters of a long list that are written at once. */
const WRITE_CHARS = 65_536;
/** Lines below the first of a message. */
const BELOW = '    ';

/** Data goes to stdout, messages to stderr; colour only on a terminal, and never with NO_COLOR. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;

  constructor(options: { readonly json: boolean; readonly quiet: boolean; readonly verbose: boolean }) {
    this.json = options.json;
    this.quiet = options.quiet;
    this.verbose = options.verbose;
  }

  /** Data, as it stands. */
  write(text: string): void {
    printData(text);
  }

  line(text: string): void {
    printText(`${text}\n`);
  }

  /** One JSON document or one line of JSON Lines. */
  document(value: unknown, pretty = false): void {
    printData(`${jsonText(value, pretty ? 2 : undefined)}\n`);
  }

  /**
   * `{"items":[...]}`, written as it comes: there may be 10,000,000. Nothing is written where the first one fails.
   * Throws what ended the writing.
   */
  async items(items: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
    await printPieces(listText(items), signal);
  }

  /** A message for people; not with -q. */
  say(text: string): void {
    if (!this.quiet) say(`${text}\n`);
  }

  error({ code, message, fix }: { readonly code: string; readonly message: string; readonly fix: string }): void {
    if (this.json) say(`${jsonText({ message_type: 'error', code, message, fix })}\n`);
    else
      say(
        `error[${code}]: ${indented(message, BELOW)}\n${fix === '' ? '' : `  what to do: ${indented(fix, BELOW)}\n`}`,
      );
  }

  table(headings: readonly Heading[], rows: readonly (readonly string[])[]): void {
    this.line(tableText(headings, rows, hasColour(1)));
  }

  bold(text: string): string {
    return bold(text);
  }
}

async function* listText(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let text = '{"items":[';
  let separator = '';
  for await (const item of items) {
    text += separator + jsonText(item);
    separator = ',';
    if (text.length < WRITE_CHARS) continue;
    yield text;
    text = '';
  }
  yield `${text}]}\n`;
}

function tableText(headings: readonly Heading[], rows: readonly (readonly string[])[], colour: boolean): string {
  const table = new Table({
    head: headings.map((heading) => heading.title),
    colAligns: headings.map((heading) => heading.align ?? 'left'),
    style: { head: colour ? ['bold'] : [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  for (const row of rows) table.push(row.map((cell) => oneLine(cell)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** 2026-11-20 06:00:00 in the host's zone, for people. */
export function when(iso: string | null): string {
  if (iso === null) return '-';
  const d = new Date(iso);
  const p = (n: number): string => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${p(d.getMonth() + 1)}-${p(d.getDate())} ${p(d.getHours())}:${p(d.getMinutes())}:${p(d.getSeconds())}`;
}
