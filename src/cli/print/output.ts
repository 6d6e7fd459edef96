import process from 'node:process';
import Table from 'cli-table3';
import type { TallymanError } from '../../core/errors.js';

/** A table's column: heading, and which way it is set. */
export interface Heading {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Characters of a long list that are written at once. */
const WRITE_CHARS = 65_536;

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

  get colour(): boolean {
    return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  }

  /** Data, as it stands. */
  write(text: string): void {
    process.stdout.write(text);
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** One JSON document or one line of JSON Lines. */
  document(value: unknown, pretty = false): void {
    process.stdout.write(`${JSON.stringify(value, null, pretty ? 2 : undefined)}\n`);
  }

  /** `{"items":[...]}`, written as it comes: there may be 10,000,000. Nothing is written where the first one fails. */
  async items(items: AsyncIterable<unknown>): Promise<void> {
    let text = '{"items":[';
    let separator = '';
    for await (const item of items) {
      text += separator + JSON.stringify(item);
      separator = ',';
      if (text.length < WRITE_CHARS) continue;
      process.stdout.write(text);
      text = '';
    }
    process.stdout.write(`${text}]}\n`);
  }

  /** A message for people; not with -q. */
  say(text: string): void {
    if (!this.quiet) process.stderr.write(`${text}\n`);
  }

  error(error: TallymanError): void {
    if (this.json)
      process.stderr.write(
        `${JSON.stringify({ message_type: 'error', code: error.code, message: error.message, fix: error.fix })}\n`,
      );
    else
      process.stderr.write(
        `tallyman: ${visible(error.message)}\n${error.fix === '' ? '' : `  what to do: ${error.fix}\n`}`,
      );
  }

  table(headings: readonly Heading[], rows: readonly (readonly string[])[]): void {
    this.line(tableText(headings, rows, this.colour));
  }

  bold(text: string): string {
    return this.colour ? `\u001b[1m${text}\u001b[22m` : text;
  }
}

/**
 * Control characters of file names and cells made visible, so that data cannot steer the terminal. Newlines of our own
 * messages stay.
 */
export function visible(text: string): string {
  // C0 but newline and tab, DEL, C1, and the bidirectional overrides that make a name read backwards.
  return text.replace(CONTROLS, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const CONTROLS = new RegExp(
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]',
  'g',
);

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
  for (const row of rows) table.push(row.map((cell) => visible(cell).replace(/[\n\t]/g, ' ')));
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
