/**
 * Raw snappy, as Avro blocks have it (format_description.txt of google/snappy): a length, then copies of literal bytes
 * and of what came before. Returns null when the bytes are not that, or tell of more than `most` bytes.
 */
export function unsnap(input: Buffer, most: number): Buffer | null {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[at++];
    if (byte === undefined || shift > 28) return null;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  // The largest gain: 64 bytes out of a copy of 3.
  if (length > most || length > input.length * 22 + 64) return null;
  const out = Buffer.allocUnsafeSlow(length);
  let pos = 0;
  while (at < input.length) {
    const tag = input[at++]!;
    let count = tag >>> 2;
    if ((tag & 3) === 0) {
      if (count >= 60) {
        const extra = count - 59;
        if (at + extra > input.length) return null;
        count = input.readUIntLE(at, extra);
        at += extra;
      }
      count += 1;
      if (at + count > input.length || pos + count > length) return null;
      input.copy(out, pos, at, at + count);
      at += count;
      pos += count;
      continue;
    }
    const size = (tag & 3) === 1 ? 1 : (tag & 3) === 2 ? 2 : 4;
    if (at + size > input.length) return null;
    const low = input.readUIntLE(at, size);
    at += size;
    const offset = size === 1 ? ((tag >>> 5) << 8) | low : low;
    count = size === 1 ? (count & 7) + 4 : count + 1;
    if (offset === 0 || offset > pos || pos + count > length) return null;
    // Byte by byte: the source may run into what is being written.
    for (let from = pos - offset; count > 0; count--) out[pos++] = out[from++]!;
  }
  return pos === length ? out : null;
}
