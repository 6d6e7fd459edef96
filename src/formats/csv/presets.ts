import type { EscapeLetters } from './loose/escape-letters.js';

/** Keys whose default hangs on the preset. */
export interface PresetDefaults {
  readonly header: boolean | number | { rows: number; names: number };
  readonly delimiter: string;
  readonly quote: string | null;
  readonly encoding: string;
  readonly nulls: string[];
  readonly escape_unquoted: boolean;
  readonly escape_letters: EscapeLetters | null;
  readonly excel_text: boolean;
}

/** Without a preset. */
export const USUAL: PresetDefaults = {
  header: true,
  delimiter: ',',
  quote: '"',
  encoding: 'utf-8',
  nulls: [''],
  escape_unquoted: false,
  escape_letters: null,
  excel_text: false,
};

export const PRESET_NAMES = ['mysql', 'redshift', 'pgcopy', 'excel', 'rfc4180'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/**
 * What differs from the usual. `escape` needs no entry: where it works outside quotes it is the backslash unless it is
 * set.
 */
export const PRESETS: Readonly<Record<PresetName, Partial<PresetDefaults>>> = {
  // SELECT ... INTO OUTFILE without clauses, and mysqldump --tab. What is escaped stands behind the backslash as it is;
  // mysql --batch writes letters.
  mysql: {
    header: false,
    delimiter: '\t',
    quote: null,
    nulls: ['\\N'],
    escape_unquoted: true,
    escape_letters: 'mysql',
  },
  // UNLOAD ... ESCAPE: pipes, a backslash before line ends, pipes and backslashes; NULL is written as nothing.
  redshift: { header: false, delimiter: '|', quote: null, escape_unquoted: true },
  // COPY ... TO in its text format. An empty cell is an empty text.
  pgcopy: {
    header: false,
    delimiter: '\t',
    quote: null,
    nulls: ['\\N'],
    escape_unquoted: true,
    escape_letters: 'postgresql',
  },
  // The list separator and the code page are those of the computer that saved it.
  excel: { delimiter: 'auto', encoding: 'auto', excel_text: true },
  rfc4180: {},
};
