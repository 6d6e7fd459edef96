import { EMPTY_TEXT, type SplitRecord } from './split-cells.js';
import { parsePath } from './json/paths.js';

const FORMATS = new Set<unknown>(['json', 'avro', 'parquet']);

/**
 * Takes records apart that are kept as JSON objects: by the keys or paths that the receipt calls the columns, a
 * workbook's by their order (two columns may have one name). null when they are no such records.
 */
export function jsonSplitter(
  told: Readonly<Record<string, unknown>>,
  columns: readonly string[],
  most: number,
): ((raw: Buffer) => SplitRecord | null) | null {
  if (told['format'] === 'excel')
    return (raw) => {
      const text = raw.toString('utf8');
      const values = membersOf(text, 0)?.map((member) => valueOf(text, member));
      return values === undefined ? null : { cells: values.slice(0, most), found: values.length };
    };
  if (!FORMATS.has(told['format'])) return null;
  const listed: unknown = told['json_columns'];
  const asJson = new Set<unknown>(Array.isArray(listed) ? listed : []);
  return (raw) => {
    const text = raw.toString('utf8');
    const members = membersOf(text, 0);
    if (members === null) return null;
    return { cells: columns.map((name) => valueAt(text, members, name, asJson.has(name))), found: columns.length };
  };
}

/** A value in the text: the inside of an object or array. */
interface Member {
  /** Of an array: its place from 0. */
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

const NOTHING = Buffer.alloc(0);

/** Strings without their quotes unless `asJson`, null as nothing, all else as it stands: digits are kept. */
function valueOf(text: string, { start, end }: Member, asJson = false): Buffer {
  const value = text.slice(start, end);
  if (asJson && value !== 'null') return Buffer.from(value);
  if (value === '""') return EMPTY_TEXT;
  return value === 'null' ? NOTHING : Buffer.from(value.startsWith('"') ? stringOf(value) : value);
}

/** A key counts before a path, an exact key before one that differs in case and surrounding space. */
function valueAt(text: string, members: readonly Member[], name: string, asJson: boolean): Buffer {
  const plain = members.findLast(({ key }) => key === name);
  if (plain !== undefined) return valueOf(text, plain, asJson);
  let found: Member | undefined;
  let within: readonly Member[] = members;
  for (const step of parsePath(name) ?? []) {
    found = within.findLast(({ key }) => key === String(step));
    within = found === undefined ? [] : (membersOf(text, found.start) ?? []);
  }
  found ??= members.findLast(({ key }) => loose(key) === loose(name));
  return found === undefined ? NOTHING : valueOf(text, found, asJson);
}

const loose = (name: string): string => name.trim().toLowerCase();

/** What stands in the object or array that begins there; null = none does, or it does not end. */
function membersOf(text: string, from: number): readonly Member[] | null {
  let at = blanks(text, from);
  const isObject = text[at] === '{';
  if (!isObject && text[at] !== '[') return null;
  const close = isObject ? '}' : ']';
  const members: Member[] = [];
  for (at = blanks(text, at + 1); text[at] !== close; at = blanks(text, at + 1)) {
    let key = String(members.length);
    if (isObject) {
      const end = endOf(text, at);
      key = stringOf(text.slice(at, end));
      at = blanks(text, end);
      if (text[at] !== ':') return null;
      at = blanks(text, at + 1);
    }
    const start = at;
    const end = endOf(text, at);
    if (end === start) return null;
    members.push({ key, start, end });
    at = blanks(text, end);
    if (text[at] === close) break;
    if (text[at] !== ',') return null;
  }
  return members;
}

const BLANK = /[ \t\r\n\uFEFF]*/y;
function blanks(text: string, from: number): number {
  BLANK.lastIndex = from;
  return from + (BLANK.exec(text)?.[0].length ?? 0);
}

/** Strings, what opens and closes; a word or number is what stands between those. */
const TOKEN = /"(?:[^"\\]|\\[^])*"|[[{]|[\]}]|[^\s,:[\]{}"]+|[,:\s]+/gy;

/** Behind the value that begins there. */
function endOf(text: string, start: number): number {
  let depth = 0;
  TOKEN.lastIndex = start;
  for (;;) {
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return start;
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    if (depth < 0) return start;
    if (depth === 0) return TOKEN.lastIndex;
  }
}

function stringOf(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    // A sign that JSON wants escaped: as it stands.
    return text.replace(/^"|"$/g, '');
  }
}
