/** What iso-2022-jp switches its tables with: ESC $ @, ESC $ B, and for Korean and Chinese ESC $ ) C and their like. */
const SHIFT = /\u001b\$(?:[@AB]|\([A-Z]|\)[A-Z])/;
const LOOK = 64 * 1024;

/** For people. */
export const ESCAPES =
  'it holds escape sequences of iso-2022-jp, which is not read: ' +
  'its letters are loaded as signs such as "$B". Ask the sender for UTF-8';

/** ASCII that is none: each letter of another script stands as two printable bytes between escape sequences. */
export const hasEscapes = (head: Buffer): boolean => SHIFT.test(head.toString('latin1', 0, LOOK));
