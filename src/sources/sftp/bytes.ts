import type { SFTPWrapper } from 'ssh2';

/** SSH_FXP_DATA (draft-02, 7). */
const DATA = 103;
/** Length of the packet, type; with an answer to a read also the id of the request and the count of bytes. */
const START = 5;
const HEAD = 13;
/** What the length of an answer to a read counts beside the bytes. */
const DATA_OVERHEAD = 9;

/** An answer to a read whose head has come. */
export interface Arriving {
  /** Bytes of the file in it. */
  readonly length: number;
  /** Takes them, in the pieces in which they come, when all are here. Each piece is the taker's to keep. */
  deliver: (pieces: readonly Buffer[]) => void;
}

/**
 * Takes the bytes of the answers to reads out of a channel's stream before the package puts each packet together and
 * copies it once more into the buffer of the request: two copies of every byte, in fresh memory of 255 KiB each, were
 * half of what a transfer cost (500 MB: see docs/decisions/006).
 *
 * The package sees such an answer as one without bytes and calls the request's owner back: while it does, `onArriving`
 * has told which answer that is. Everything else goes to the package as it came, also what is malformed. Where the
 * package has no `push` any more, nothing is taken out and it answers in full.
 */
export function takeBytes(
  sftp: SFTPWrapper,
  longest: number,
  onArriving: (arriving: Arriving | null) => void,
  onBytes: () => void,
): void {
  const original: unknown = Reflect.get(sftp, 'push');
  if (typeof original !== 'function') return;
  const pass = (data: Buffer | null): unknown => Reflect.apply(original, sftp, [data]);
  const head = Buffer.alloc(HEAD);
  let headBytes = 0;
  /** Bytes of the packet under way that are still to come, and whose they are; null = the package's. */
  let left = 0;
  let arriving: Arriving | null = null;
  let pieces: Buffer[] = [];

  /** The head of an answer with bytes. What is no sound one is the package's to refuse. */
  const begin = (): void => {
    const length = head.readUInt32BE(9);
    left = length;
    if (length > longest || head.readUInt32BE(0) !== length + DATA_OVERHEAD) {
      left = head.readUInt32BE(0) - DATA_OVERHEAD;
      pass(Buffer.from(head));
      return;
    }
    arriving = { length, deliver: () => undefined };
    onArriving(arriving);
    const empty = Buffer.from(head);
    empty.writeUInt32BE(DATA_OVERHEAD, 0);
    empty.writeUInt32BE(0, 9);
    pass(empty);
    onArriving(null);
    if (length === 0) end(arriving);
  };

  const end = (whole: Arriving): void => {
    const all = pieces;
    arriving = null;
    pieces = [];
    whole.deliver(all);
  };

  Reflect.set(sftp, 'push', (data: Buffer | null): unknown => {
    if (data === null) return pass(null);
    onBytes();
    for (let at = 0; at < data.length;) {
      if (left > 0) {
        const piece = data.subarray(at, at + left);
        at += piece.length;
        left -= piece.length;
        if (arriving === null) pass(piece);
        else {
          pieces.push(piece);
          if (left === 0) end(arriving);
        }
        continue;
      }
      const wanted = headBytes < START ? START : HEAD;
      const count = data.copy(head, headBytes, at, at + wanted - headBytes);
      at += count;
      headBytes += count;
      if (headBytes < wanted) continue;
      if (wanted === START && head[4] === DATA) continue;
      headBytes = 0;
      if (wanted === HEAD) begin();
      else {
        left = head.readUInt32BE(0) - 1;
        pass(Buffer.from(head.subarray(0, START)));
      }
    }
    return undefined;
  });
}
