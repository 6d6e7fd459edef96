import type { Bytes } from '../core/format.js';

/** The beginning of a stream, looked at, and the whole stream all the same. */
export interface Peeked {
  /** At least as many bytes as were asked for, unless the stream is shorter. */
  readonly head: Buffer;
  /** The stream from its first byte on. */
  readonly bytes: Bytes;
}

/**
 * Reads until `wanted` bytes are there. Nothing is copied when the first chunk is long enough, which it is for files (1
 * MiB a read). The source is closed by whoever reads `bytes`; if nobody does, by calling `return` of its iterator.
 */
export async function peek(source: Bytes, wanted: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  let head: Buffer = first.done === true ? Buffer.alloc(0) : first.value;
  let ended = first.done === true;
  if (!ended && head.length < wanted) {
    // Copied, because a chunk is only valid until the one after the next is asked for.
    const parts = [Buffer.from(head)];
    let length = head.length;
    while (!ended && length < wanted) {
      const next = await iterator.next();
      if (next.done === true) ended = true;
      else {
        parts.push(Buffer.from(next.value));
        length += next.value.length;
      }
    }
    head = Buffer.concat(parts, length);
  }
  return { head, bytes: { [Symbol.asyncIterator]: () => replayed(head, ended, iterator) } };
}

function replayed(head: Buffer, ended: boolean, rest: AsyncIterator<Buffer>): AsyncIterator<Buffer> {
  let given = head.length === 0;
  return {
    next() {
      if (given) return ended ? Promise.resolve({ done: true, value: undefined }) : rest.next();
      given = true;
      return Promise.resolve({ done: false, value: head });
    },
    return: async () => {
      given = true;
      ended = true;
      return (await rest.return?.()) ?? { done: true, value: undefined };
    },
  };
}

/** Tells a stream that nobody will read it. */
export async function abandon(bytes: Bytes): Promise<void> {
  await bytes[Symbol.asyncIterator]().return?.();
}
