/** Value of a hexadecimal digit by its byte; NO_NIBBLE for all others. */
export const NO_NIBBLE = 0x10;
export const NIBBLES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? NO_NIBBLE : digit;
});
