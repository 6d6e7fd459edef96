import { createHash } from 'node:crypto';
import type { Bytes } from '../core/format.js';

/** A stream that is hashed as it goes by. */
interface Watched {
  readonly name: string;
  /** null = it has not been read to its end. */
  sha256: string | null;
}

/**
 * sha256 of what is packed in a file: the decrypted, decompressed bytes, before any change of charset. An archive of
 * one wanted member counts as that member. Of several, it is the sha256 of what `sha256sum` prints of them, sorted, so
 * that neither their order nor how each was packed matters. Nothing is computed for a file that is not packed.
 */
export class ContentDigest {
  #kind: 'unknown' | 'plain' | 'packed' = 'unknown';
  #wanted = 0;
  readonly #watched: Watched[] = [];

  /** The delivered bytes are the content. */
  plain(): void {
    this.#kind = 'plain';
  }

  /** So many streams are the content. */
  packed(streams: number): void {
    this.#kind = 'packed';
    this.#wanted = streams;
  }

  /** The same bytes; they are hashed on the way. */
  watch(bytes: Bytes, name = ''): Bytes {
    const watched: Watched = { name, sha256: null };
    this.#watched.push(watched);
    return hashed(bytes, watched);
  }

  /** `delivered`: sha256 of the delivered bytes. null = not known (yet). */
  told(delivered: string | null): string | null {
    if (this.#kind === 'plain') return delivered;
    if (this.#kind === 'unknown' || this.#watched.length !== this.#wanted) return null;
    if (this.#wanted === 1) return this.#watched[0]!.sha256;
    const lines: string[] = [];
    for (const { name, sha256 } of this.#watched) {
      if (sha256 === null) return null;
      lines.push(`${sha256}  ${name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`);
    }
    return createHash('sha256').update(lines.sort().join('')).digest('hex');
  }
}

async function* hashed(bytes: Bytes, watched: Watched): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  watched.sha256 = hash.digest('hex');
}
