import { open } from 'node:fs/promises';

/**
 * A blank file longer than this is not read to its end to find out: it is loaded, and its 0 records say the same.
 * Bytes.
 */
const LOOK_MAX = 1024 * 1024;

/**
 * Is it an empty file (docs/spec/which-file-is-new.md#empty-files): 0 bytes, only a BOM, or only blank lines? Only text
 * formats have such files.
 */
export async function isEmptyFile(path: Buffer | string, size: number): Promise<boolean> {
  if (size === 0) return true;
  if (size > LOOK_MAX) return false;
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    let at = bytesRead >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytesRead && (bytes[at] === 0x0a || bytes[at] === 0x0d)) at++;
    return at === bytesRead;
  } finally {
    await handle.close();
  }
}
