/**
 * The one guard for text that reaches a terminal or a log of lines: file names, cells and messages of other programs
 * can hold characters that steer a terminal, forge a line, or make a name read backwards.
 *
 * DEL, C1, the marks and overrides of reading direction, and what some viewers take for the end of a line.
 */
const BEYOND_C0 = '\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff';
/** C0 but newline and tab: those of our own messages stay. */
const CONTROLS = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f${BEYOND_C0}]`, 'g');
/** JSON has escaped C0 already. */
const RAW_IN_JSON = new RegExp(`[${BEYOND_C0}]`, 'g');
/** What JSON escaped and what is raw in it, but a backslash and a quote. */
const CONTROL_IN_JSON = new RegExp(`\\\\(?:["\\\\/]|[bfnrt]|u[0-9a-fA-F]{4})|[${BEYOND_C0}]`, 'g');

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text of several lines: newlines and tabs stay, every other control character is shown as `\u001b`. */
export const visible = (text: string): string => text.replace(CONTROLS, escaped);

/** What must stay one line: a file name, a message that names one. A newline is shown as `\n`. */
export const oneLine = (text: string): string =>
  visible(
    text
      .replace(/\r\n|[\r\n]/g, (end) => (end === '\r\n' ? '\\r\\n' : end === '\n' ? '\\n' : '\\r'))
      .replaceAll('\t', '\\t'),
  );

/** A message of several lines below one of ours: what a name brought along cannot look like a line of its own. */
export const indented = (text: string, by: string): string => visible(text).replaceAll('\n', `\n${by}`);

/** JSON text, the same to every reader, that may be shown as it is: nothing in it steers a terminal. */
export const jsonText = (value: unknown, space?: number): string => guardJson(JSON.stringify(value, null, space));

/** The same for JSON text at hand. */
export const guardJson = (json: string): string => json.replace(RAW_IN_JSON, escaped);

/**
 * JSON text whose strings are going to be shown: each control character in them, newlines too, becomes the text of its
 * escape.
 */
export const shownJson = (json: string): string =>
  json.replace(CONTROL_IN_JSON, (found) => {
    if (found.length === 1) return `\\${escaped(found)}`;
    return '"\\/'.includes(found.charAt(1)) ? found : `\\${found}`;
  });
