import type { Readable } from 'node:stream';
import { TallymanError } from '../../core/errors.js';

/**
 * The pieces of an answer's body. Ends with an error when none comes for `idleMs` while one is waited for (clients wait
 * for ever), when the connection is cut, or when the signal says so; and always lets go of the connection. `prove` is
 * asked before the first piece, and throws when the answer is not the one that was wanted. `name`: of store and key,
 * for messages.
 */
export async function* bodyChunks(
  name: string,
  body: Readable,
  idleMs: number,
  signal: AbortSignal,
  prove: () => void = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  let waiting = false;
  const timer = setTimeout(() => {
    if (waiting) body.destroy(new TallymanError('SOURCE_UNREACHABLE', `${name}: no byte came for ${idleMs / 1_000} s`));
  }, idleMs);
  const abort = (): void => {
    body.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  };
  signal.addEventListener('abort', abort, { once: true });
  // What a destroyed body says when nobody reads it any more.
  body.on('error', () => undefined);
  try {
    prove();
    const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
    for (;;) {
      signal.throwIfAborted();
      waiting = true;
      timer.refresh();
      const next = await chunks.next();
      waiting = false;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    body.destroy();
  }
}
