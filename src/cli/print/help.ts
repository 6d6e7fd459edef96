import type { Command } from 'commander';

/** What stands below the options in `--help`: examples, and what the exit codes of this command mean. */
interface Help {
  /** The line to type, and what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Beside 0, 2, 5 and 78, which every command has. */
  readonly exits?: Readonly<Partial<Record<Exit, string>>>;
}

type Exit = 0 | 1 | 3 | 4 | 5 | 6 | 11 | 78 | 130;

const COMMON: Readonly<Record<number, string>> = {
  0: 'done',
  2: 'wrong usage',
  5: 'the output cannot be written (a full disk)',
  78: 'the config is invalid or missing',
};
const NO_CONFIG = { 78: '' } as const;
const AWAY = { 5: 'the database cannot be reached, or a disk is full' } as const;
const FILES = {
  1: 'a file failed or was rejected',
  3: 'rows were quarantined, or files held',
  4: 'a tally did not balance: nothing of that file was committed',
  5: 'a source or the database cannot be reached, or a disk is full',
  78: 'the config is invalid, or a contract does not fit its table',
} as const;
const STOPPED = { 130: 'interrupted (143: by SIGTERM)' } as const;
const WAITED = {
  ...FILES,
  0: 'asked for; with --wait: done, all well',
  1: 'with --wait: a file failed or was rejected',
  3: 'with --wait: rows were quarantined, or files held',
} as const;

/** By the words of the command. */
const HELP: Readonly<Record<string, Help>> = {
  '': {
    examples: [
      ['tallyman init demo && cd demo && tallyman run --once', 'a first load, with a database of its own'],
      ['tallyman status', 'what each feed did today, and what waits for you'],
    ],
    exits: {
      ...FILES,
      6: 'status --check: a file is failed or rejected',
      11: 'another tallyman runs on the data_dir',
      ...STOPPED,
    },
  },
  init: {
    examples: [
      ['tallyman init', 'into this folder'],
      ['tallyman init /srv/tallyman', 'into another one; what is there is not overwritten'],
    ],
    exits: NO_CONFIG,
  },
  infer: {
    examples: [
      ['tallyman infer drop/orders_*.csv', 'a feed for these files, to paste under feeds:'],
      ['tallyman infer export.csv.gz --name orders --sample 32MiB', 'under this name, from more of the file'],
    ],
    exits: { 1: 'a file cannot be read, or is of no kind that can be proposed', ...NO_CONFIG },
  },
  check: {
    examples: [
      ['tallyman check', 'every mistake of the config at its place'],
      ['tallyman check --connect', 'also reach each source, the database and its tables'],
    ],
    exits: {
      0: 'the config is right',
      5: 'a source or the database cannot be reached',
      78: 'the config is invalid, or a contract does not fit its table',
    },
  },
  run: {
    examples: [
      ['tallyman run', 'the daemon, until SIGTERM; SIGHUP reads the config again'],
      ['tallyman run --once --feed orders', 'all that is there now of one feed, for cron'],
    ],
    exits: { ...FILES, 0: 'all well; the daemon: it drained', 11: 'another tallyman runs on the data_dir', ...STOPPED },
  },
  load: {
    examples: [
      ['tallyman load orders.csv --feed orders --dry-run', 'parse and check it, write nothing'],
      ['tallyman load fixed.csv --feed orders --replaces 42', 'in the place of what file 42 loaded'],
    ],
    exits: { ...FILES, ...STOPPED },
  },
  status: {
    examples: [
      ['tallyman status', 'per feed: last file, today, what waits for you'],
      ['tallyman status --check --json', 'for monitoring'],
    ],
    exits: {
      3: 'with --check: a file is held',
      5: 'the database cannot be asked',
      6: 'with --check: a file is failed or rejected',
    },
  },
  files: {
    examples: [
      ['tallyman files --state failed,rejected --since 1d', 'what went wrong since yesterday'],
      ["tallyman files --match 'orders_2026*' --json", 'as one JSON document'],
    ],
  },
  'files show': {
    examples: [
      ['tallyman files show 42', 'one file with its faults and its history'],
      ['tallyman files show load:7 --json', 'the file of a load_id'],
    ],
  },
  reprocess: {
    examples: [
      ['tallyman reprocess 42 --wait', 'load it again, in the place of its earlier rows'],
      ['tallyman reprocess --feed orders --since 7d --dry-run', 'say which files that would be'],
    ],
    exits: WAITED,
  },
  retry: {
    examples: [
      ['tallyman retry 42', 'a file that failed or was rejected'],
      ['tallyman retry --feed orders --state failed --yes --wait', 'all of them, and wait for what comes of it'],
    ],
    exits: WAITED,
  },
  release: {
    examples: [
      ['tallyman release 42 --wait', 'let a held file be loaded'],
      ['tallyman release 42 --replace', 'in the place of what is loaded under its path'],
    ],
    exits: WAITED,
  },
  ignore: {
    examples: [
      ["tallyman ignore 42 --reason 'a test of the supplier'", 'it is not loaded, and not told of any more'],
      ['tallyman ignore --feed orders --state rejected --yes', 'all rejected ones'],
    ],
    exits: WAITED,
  },
  unload: {
    examples: [
      ["tallyman unload 42 --reason 'a wrong file' --dry-run", 'say how many rows would leave'],
      ["tallyman unload load:7 --reason 'a wrong file'", 'take out what a load_id put in'],
    ],
    exits: AWAY,
  },
  ledger: {
    examples: [
      ['tallyman ledger verify', 'do ledger, receipts and tables agree?'],
      ['tallyman ledger adopt --feed orders --before 7d', 'record what is there as known, read nothing'],
    ],
    exits: { 4: 'verify: something differs', ...AWAY },
  },
  why: {
    examples: [
      ['tallyman why drop/orders/orders_20261120.csv', 'is it taken, by which feed, and what would become of it'],
      ['tallyman why orders_20261120.csv --feed orders', 'a name inside a feed, remote ones too'],
    ],
    exits: { 5: 'a source or the database cannot be reached' },
  },
  requests: {
    examples: [
      ['tallyman requests', 'what waits for the daemon, and what was asked lately'],
      ['tallyman requests --json', 'the same for programs'],
    ],
  },
  'requests cancel': {
    examples: [
      ['tallyman requests cancel 7', 'take it back; what is under way goes on'],
      ['tallyman requests cancel 7 8 9', 'several'],
    ],
  },
  'ledger clear': {
    examples: [
      ['tallyman ledger clear 42', 'forget that it was loaded; its rows stay'],
      ['tallyman ledger clear --feed orders --since 1d --dry-run', 'say which files that would be'],
    ],
    exits: WAITED,
  },
  'ledger adopt': {
    examples: [
      ['tallyman ledger adopt --feed orders', 'before the first start on a drop full of old files'],
      ["tallyman ledger adopt --feed orders --before 2026-11-01 --match 'old/*'", 'only some of them'],
    ],
    exits: { 5: 'the source or the database cannot be reached, or a disk is full' },
  },
  'ledger verify': {
    examples: [
      ['tallyman ledger verify', 'every difference, one a line'],
      ['tallyman ledger verify --json', 'for monitoring'],
    ],
    exits: { 0: 'all agree', 4: 'something differs', ...AWAY },
  },
  quarantine: {
    examples: [
      ['tallyman quarantine', 'refused rows by file, column and reason'],
      ['tallyman quarantine --feed orders --json', 'of one feed, as one JSON document'],
    ],
    exits: AWAY,
  },
  'quarantine show': {
    examples: [
      ['tallyman quarantine show 42', 'each refused row with its reasons'],
      ['tallyman quarantine show load:7 --json', 'of a load_id, as one JSON document'],
    ],
    exits: AWAY,
  },
  'quarantine export': {
    examples: [
      ['tallyman quarantine export 42 -o refused.csv', 'for the supplier'],
      ['tallyman quarantine export 42 --format html -o refused.html', 'a page to read'],
    ],
    exits: AWAY,
  },
  ddl: {
    examples: [
      ['tallyman ddl', 'all tables; nothing is run'],
      ['tallyman ddl --feed orders | psql mydb', 'the table of one feed, made by hand'],
    ],
  },
  config: {
    examples: [
      ['tallyman config print', 'what the program makes of the config'],
      ['tallyman config schema > tallyman.schema.json', 'for an editor'],
    ],
  },
  'config schema': {
    examples: [
      ['tallyman config schema > tallyman.schema.json', 'for an editor'],
      ["tallyman config schema | jq '.properties | keys'", 'the keys of the top'],
    ],
    exits: NO_CONFIG,
  },
  'config print': {
    examples: [
      ['tallyman config print', 'every default filled in, secrets masked'],
      ['tallyman config print --json', 'as one JSON document'],
    ],
  },
};

/** Adds examples and exit codes to the help of the command and of all below it. Made when help is asked for. */
export function addHelp(command: Command, words: readonly string[] = []): void {
  command.addHelpText('after', () => helpText(words.join(' ')));
  for (const sub of command.commands) addHelp(sub, [...words, sub.name()]);
}

function helpText(words: string): string {
  const help = HELP[words];
  if (help === undefined) return '';
  const width = Math.max(...help.examples.map(([line]) => line.length));
  const isWide = help.examples.some(([, meaning]) => width + meaning.length > 76);
  const examples = help.examples.map(([line, meaning]) =>
    isWide ? `  ${line}\n      ${meaning}` : `  ${line.padEnd(width)}  ${meaning}`,
  );
  const exits = Object.entries({ ...COMMON, ...help.exits })
    .filter(([, meaning]) => meaning !== '')
    .map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`);
  return ['', 'Examples:', ...examples, '', 'Exit codes:', ...exits].join('\n');
}
