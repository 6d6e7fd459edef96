/**
 * What spreadsheets take for the beginning of a formula (CWE-1236): = + - @, TAB, CR, LF and the full-width signs.
 * Blanks and invisible characters before a sign do not help: some programs drop them on import.
 */
const FORMULA = /^(?:[\t\r\n]|[\p{Z}\p{Cf}\p{Cc}]*[=+\-@＝＋－＠])/u;

/** Digits with a sign and nothing that could be an operator: -12.50, +3, -1.234,50, -1e5. */
const PLAIN_NUMBER = /^ *[+-] *(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)? *$/;

/** The text with a leading ' when a spreadsheet could run it. Plain numbers stay plain. */
export function harmless(text: string): string {
  return FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;
}
