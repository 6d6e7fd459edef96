/**
 * The one table of errors: what a code means, what to do, and the exit code that a command ends with.
 * docs/reference/errors.md holds the same table; test/core/errors.test.ts keeps the two together. `blame` decides what
 * happens to a file:
 *
 * - `file`      the file is bad: state `rejected`
 * - `attempt`   this file failed for another reason: retried, then `failed`
 * - `pause`     something outside the file cannot be reached: the feed pauses, nothing is counted
 * - `feed`      the feed cannot work until a person acts: it stops, its files stay `discovered`
 * - `version`   the file changed, went or is not finished: back to settling
 * - `command`   a command was used wrongly or cannot be carried out
 */
export type Blame = 'file' | 'attempt' | 'pause' | 'feed' | 'version' | 'command';

interface ErrorRow {
  readonly blame: Blame;
  /** Exit code of a command that ends with this error (docs/spec/commands.md#exit-codes). */
  readonly exit: number;
  readonly meaning: string;
  readonly fix: string;
}

const row = (blame: Blame, exit: number, meaning: string, fix: string): ErrorRow => ({ blame, exit, meaning, fix });

export const ERRORS = {
  // the file
  TOO_MANY_BAD_ROWS: row(
    'file',
    1,
    'More rows were refused than the feed allows.',
    'Look at `tallyman quarantine show FILE_ID`. Ask the supplier for a corrected file, or raise limits.bad_rows / limits.bad_ratio.',
  ),
  TOO_FEW_ROWS: row(
    'file',
    1,
    'The file holds fewer rows than limits.min_rows.',
    'Check that the supplier sent the whole file, or lower limits.min_rows.',
  ),
  TOO_MANY_DATABASE_ROWS: row(
    'file',
    1,
    'PostgreSQL refused more rows than limits.database_rows.',
    'Put the rule that PostgreSQL enforces into the contract (columns), so that rows are refused before they are sent.',
  ),
  UNTERMINATED: row(
    'file',
    1,
    'The last line of the file has no line end: the file may be cut off.',
    'Ask the supplier for the whole file. If his files end so: `limits.unterminated: warn`, `tallyman retry FILE_ID`.',
  ),
  HEADER_MISSING: row(
    'file',
    1,
    'The file has bytes but no header line.',
    'Set format.header: false if the file has none; check skip_lines, comment and delimiter.',
  ),
  HEADER_DUPLICATE: row(
    'file',
    1,
    'Two header cells have the same name.',
    'Ask the supplier for distinct names, or map by position: from: 3.',
  ),
  HEADER_EMPTY: row('file', 1, 'A header cell is empty.', 'Ask the supplier for a name, or map by position: from: 3.'),
  UNKNOWN_COLUMNS: row(
    'file',
    1,
    'The file has columns that the contract does not know.',
    'Add them to columns, or set on_unknown_column: ignore, add or rescue.',
  ),
  MISSING_COLUMNS: row(
    'file',
    1,
    'The file lacks columns of the contract.',
    'Check delimiter and header names (from:), or set on_missing_column: fill_null.',
  ),
  TOO_MANY_COLUMNS: row(
    'file',
    1,
    'The file has more columns than a PostgreSQL table can hold.',
    'Name the columns you need under columns and set on_unknown_column: ignore or rescue.',
  ),
  FILE_CORRUPT: row(
    'file',
    1,
    'The bytes are not a whole file of this format.',
    'Ask the supplier to send the file again; compare sha256 with theirs.',
  ),
  FORMAT_MISMATCH: row(
    'file',
    1,
    'The content is of another format than the feed says.',
    'Correct format.type or compression, or the pattern that catches this file.',
  ),
  EMPTY_NOT_ALLOWED: row(
    'file',
    1,
    'A file of this format cannot be empty.',
    'Ask the supplier to send the file again.',
  ),
  DECRYPT_FAILED: row(
    'file',
    1,
    'The file is encrypted, but not for a key of the feed.',
    'Ask the supplier to encrypt for your public key, or add the private key under decrypt.private_key.',
  ),
  SIGNATURE_WRONG: row(
    'file',
    1,
    'The signature of the file is not right, or is not there though decrypt.verify wants it.',
    'Ask the supplier. If their key is a new one, add it under decrypt.signers.',
  ),
  EXPANSION_LIMIT: row('file', 1, 'The file expands far beyond its size.', 'If it is honest, raise max_expansion.'),
  UNKNOWN_ENCODING: row('file', 1, 'The encoding could not be found out.', 'Set format.encoding.'),
  TALLY_MISMATCH: row(
    'attempt',
    4,
    'The counts do not balance: nothing was committed.',
    'Look for triggers or rules on the staging table that drop or add rows; then `tallyman retry FILE_ID`.',
  ),
  DECLARED_ROWS_MISMATCH: row(
    'file',
    1,
    'The file does not hold as many rows as its sender says.',
    'Ask the supplier which number is right.',
  ),
  CHECKSUM_MISMATCH: row(
    'file',
    1,
    "The file's checksum is not the one that its sender gives.",
    'Ask the supplier to send the file again.',
  ),
  TOTALS_MISMATCH: row(
    'file',
    1,
    'A sum over all records is not the one that the sender declares.',
    'Ask the supplier which number is right. `tallyman quarantine show FILE_ID` has the cells that are no numbers.',
  ),
  CONTROL_MISSING: row(
    'file',
    1,
    'What the sender should say about the file (trailer, manifest, checksum file) is not there.',
    'The file may be cut off: ask the supplier, or correct control.',
  ),
  DEFERRED_CONSTRAINT: row(
    'file',
    1,
    'A deferred constraint of the staging table refused the rows.',
    'Ask the supplier for rows that meet it, or drop the constraint from the staging table.',
  ),
  // this attempt
  LOAD_FAILED: row(
    'attempt',
    1,
    'The load failed and was rolled back.',
    'Read the message; then `tallyman retry FILE_ID`.',
  ),
  DATABASE_REFUSED: row(
    'attempt',
    1,
    'PostgreSQL refused the load for a reason that is no row.',
    'Read the message; then `tallyman retry FILE_ID`.',
  ),
  POISON: row(
    'attempt',
    1,
    'The process died three times at the same place in this file.',
    'Look at the file near that place, report it; `tallyman retry FILE_ID` tries once more.',
  ),
  RECEIPT_LOST: row(
    'attempt',
    1,
    'The database no longer knows this load, and the bytes are gone.',
    'The database was restored to an earlier time. Bring the file back, then `tallyman retry FILE_ID`.',
  ),
  FILE_UNREADABLE: row(
    'attempt',
    1,
    'The file cannot be read.',
    'Give the user that runs tallyman the right to read it.',
  ),
  AFTER_ACTION_FAILED: row(
    'attempt',
    1,
    'What should happen to the file after its outcome (move, delete, tag) could not be done.',
    'Give the user that runs tallyman the right to write in the folder. It is tried again without end; the load itself is not touched.',
  ),
  TARGET_CHANGED: row(
    'attempt',
    1,
    'A load that is to be replaced went into another table than the one that the feed fills now.',
    'If the table was renamed or moved, say its old name under target.formerly; then `tallyman retry FILE_ID`.',
  ),
  // the version
  FILE_CHANGED: row(
    'version',
    1,
    'The file changed while it was read.',
    'Nothing to do: it is taken again once it has settled. If it happens often, raise source.settle or use a ready marker.',
  ),
  FILE_VANISHED: row(
    'version',
    1,
    'The file went away before it was read.',
    'Nothing to do, unless nobody should have moved it.',
  ),
  FILE_NOT_TAKEN: row(
    'version',
    1,
    'The path is not a file that is taken.',
    'Read the reason: symbolic links, devices, folders and names outside the folder are never taken.',
  ),
  // outside the file
  SOURCE_UNREACHABLE: row(
    'pause',
    5,
    'The source cannot be reached.',
    'Nothing is lost: the daemon goes on by itself, `run --once` with its next run. `tallyman check --connect` shows more.',
  ),
  FOLDER_UNREADABLE: row(
    'pause',
    5,
    'Folders of the source cannot be listed: nothing is known of the files in them. The others are worked on.',
    'Give the login the right to list them, or leave them out with ignore. Each listing tries them again.',
  ),
  LANDING_FULL: row(
    'pause',
    5,
    'There is no room to land the file.',
    'Nothing is lost: it is landed when other files have gone. Raise landing.max, or free space under data_dir.',
  ),
  DATABASE_UNREACHABLE: row(
    'pause',
    5,
    'PostgreSQL cannot be reached.',
    'Nothing is lost: the daemon goes on by itself, `run --once` with its next run. `tallyman check --connect` shows more.',
  ),
  DATABASE_LOGIN: row('pause', 5, 'PostgreSQL refused the login.', 'Correct database.url, user or password.'),
  DATABASE_BUSY: row(
    'pause',
    5,
    'PostgreSQL cannot take the load now (locks, connections, disk, read-only).',
    'Nothing is lost: it is tried again. If it goes on, look at the message.',
  ),
  POOL_MODE: row(
    'pause',
    5,
    'The pooler in front of PostgreSQL pools statements: no transactions.',
    'Set pool_mode = transaction or session in the pooler, or let database.url lead to PostgreSQL itself.',
  ),
  WORKER_UNUSABLE: row(
    'pause',
    5,
    'No thread for loads can be started.',
    'Nothing is lost: it is tried again. Look at the message: memory, limits of threads and files, a broken installation.',
  ),
  DISK_FULL: row(
    'pause',
    5,
    'The disk under data_dir, or where the output goes, is full or cannot be written.',
    'Free space. A daemon that runs goes on by itself; what could not start is started again.',
  ),
  // the feed
  HOST_KEY_MISMATCH: row(
    'feed',
    5,
    'The server did not show the host key that is pinned: no login was sent.',
    'Ask the operator of the server for its fingerprint; then pin the key that the message shows.',
  ),
  CONTRACT_MISFIT: row(
    'feed',
    78,
    'The staging table does not fit the contract.',
    'Run the ALTER in the message, or change columns.',
  ),
  DECRYPT_KEY: row(
    'feed',
    78,
    'A key or passphrase under decrypt cannot be used.',
    'Correct decrypt.private_key, decrypt.passphrase or decrypt.signers.',
  ),
  NOT_INSTALLED: row(
    'feed',
    78,
    'A package that reads this format is not installed, or not for this machine.',
    'Install tallyman again with its optional packages (`npm ci`, without --omit=optional), then start it again.',
  ),
  DATABASE_RIGHTS: row('feed', 78, 'The database role lacks a right.', 'Run the GRANT that is shown.'),
  DATABASE_CHANGED: row(
    'feed',
    5,
    'This is another database than the one the ledger remembers.',
    'Point database.url at the right one, or use a new data_dir for the new database.',
  ),
  // commands
  USAGE: row('command', 2, 'The command was used wrongly.', 'See `tallyman COMMAND --help`.'),
  UNKNOWN_FEED: row('command', 2, 'There is no such feed.', 'See `tallyman status` for the names.'),
  UNKNOWN_FILE: row('command', 2, 'The ledger knows no such file.', 'See `tallyman files` for the IDs.'),
  WRONG_STATE: row(
    'command',
    2,
    'The file is not in a state in which this can be done.',
    'See `tallyman files show FILE_ID`.',
  ),
  CONFIRM: row('command', 2, 'Acting on a selection needs a yes.', 'Add --yes.'),
  SOURCE_GONE: row(
    'command',
    1,
    'The bytes of this version are gone or different.',
    'Bring the file back under its path, or load a copy: `tallyman load FILE --feed F --replaces ID`.',
  ),
  NOT_FOUND: row('command', 2, 'A file or folder named on the command line is not there.', 'Check the path.'),
  CONFIG_INVALID: row(
    'command',
    78,
    'The config has mistakes.',
    'Correct the places named; `tallyman check` shows them again.',
  ),
  CONFIG_MISSING: row(
    'command',
    78,
    'There is no config file.',
    'Name one with -c, set TALLYMAN_CONFIG, or make one with `tallyman init`.',
  ),
  ALREADY_RUNNING: row(
    'command',
    11,
    'Another tallyman runs on this data_dir.',
    'Stop it first, or use another data_dir. Commands other than run work beside it.',
  ),
  LEDGER_UNUSABLE: row(
    'command',
    1,
    'The ledger cannot be opened, read or written.',
    'Look at the message. If ledger.db is damaged, move it away: it is rebuilt from the receipts in PostgreSQL.',
  ),
  EMBEDDED_FAILED: row('command', 5, 'The embedded PostgreSQL did not start.', 'Read DATA_DIR/postgres/server.log.'),
  NOT_BALANCED: row(
    'command',
    4,
    'Ledger, receipts and staging tables differ.',
    'Each difference is listed; `tallyman files show FILE_ID` tells the history.',
  ),
  INTERRUPTED: row('command', 130, 'The command was interrupted.', 'Run it again: what was under way was rolled back.'),
  INTERNAL: row('attempt', 1, 'A fault in tallyman itself.', 'Please report it with the message and `tallyman -v`.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
