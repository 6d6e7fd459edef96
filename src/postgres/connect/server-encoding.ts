import { TallymanError } from '../../core/errors.js';
import { charactersOf } from '../../decode/charset/held.js';

/**
 * What a database can hold. One that was made in LATIN1 refuses every statement with a character beyond it, so that one
 * file name would keep a file from ever getting its receipt: such characters are written as escapes (`\u0142`) wherever
 * the text is ours to write. Cells go as they are, and a row that cannot be held is refused.
 */
export interface ServerEncoding {
  /** As PostgreSQL calls it: LATIN1, WIN1251, EUC_JP ... */
  readonly name: string;
  /** The text with escapes for what the database cannot hold. */
  readonly fit: (text: string) => string;
  /** The same for SQL: within its texts. Throws CONTRACT_MISFIT when a name holds such a character. */
  readonly fitSql: (sql: string) => string;
}

/** iconv-lite's tables for the encodings that a database can have; of those that are not here only ASCII is certain. */
const TABLES: Readonly<Record<string, string>> = {
  LATIN1: 'iso-8859-1',
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN5: 'iso-8859-9',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  WIN866: 'cp866',
  WIN874: 'windows-874',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
  EUC_CN: 'gb2312',
};

const BEYOND_ASCII = /[^\0-\x7f]/gu;
/** Texts and names of SQL. What stands behind a text tells whether JSON is read from it. */
const QUOTED = /(?:(?<!\w)E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*')(::jsonb)?|"(?:[^"]|"")*"/gsu;

/** null = it holds every character: UTF8, and SQL_ASCII, which takes any byte. */
export function serverEncoding(name: string): ServerEncoding | null {
  if (name === 'UTF8' || name === 'SQL_ASCII' || name === '') return null;
  const table = TABLES[name];
  const holds = table === undefined ? (): boolean => false : charactersOf(table, name.startsWith('EUC'));
  const replaced = (text: string, backslash: string): string =>
    text.replace(BEYOND_ASCII, (character) => (holds(character) ? character : escaped(character, backslash)));
  const literal = (part: string, json: string | undefined): string => {
    if (replaced(part, '') === part) return part;
    if (part.startsWith('"'))
      throw new TallymanError('CONTRACT_MISFIT', `The name ${part} cannot be used: the database is in ${name}.`, {
        fix: 'Choose another name for the column, table or schema, or a database in UTF8.',
      });
    // A backslash is written twice within E'', and twice again where JSON is read from it.
    const text = replaced(part, json === undefined ? '\\\\' : '\\\\\\\\');
    return text.startsWith('E') ? text : `E${text}`;
  };
  return {
    name,
    fit: (text) => replaced(text, '\\'),
    fitSql: (sql) => (replaced(sql, '') === sql ? sql : sql.replace(QUOTED, literal)),
  };
}

/** `\u0142`, one for each UTF-16 unit. */
function escaped(character: string, backslash: string): string {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `${backslash}u${unit.toString(16).toUpperCase().padStart(4, '0')}`)
    .join('');
}
