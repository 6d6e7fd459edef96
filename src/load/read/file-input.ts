import { createHash, type Hash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isFewDescriptors, messageOf, TallymanError } from '../../core/errors.js';
import type { Algorithm } from '../../core/feed/control.js';
import type { Bytes } from '../../core/format.js';
import type { LoadJob } from '../../core/load.js';
import { versionOf } from '../../sources/local/version.js';
import { hasCode } from '../../base/errno.js';

/** Bytes a read. 1 MiB: below 256 KiB the thread pool's round trips show, above it only memory grows. */
const CHUNK = 1024 * 1024;
/**
 * One being read ahead, one in the receiver's hands, and the one before it, which the receiver may still keep
 * (core/format.ts, Bytes).
 */
const BUFFERS = 3;

/**
 * The file of a job, held open by one descriptor from the first look to the last, so that what is hashed, parsed and
 * compared is one and the same file. May be read more than once (`pass`), one pass at a time.
 */
export class FileInput {
  readonly #file: LoadJob['file'];
  readonly #handle: FileHandle;
  readonly #before: BigIntStats;
  /** Private folder for temporary files. */
  readonly workDir: string;

  private constructor(file: LoadJob['file'], handle: FileHandle, before: BigIntStats, workDir: string) {
    this.#file = file;
    this.#handle = handle;
    this.#before = before;
    this.workDir = workDir;
  }

  /**
   * Opens the file in place. Never follows a link and never blocks on a FIFO. Throws FILE_VANISHED, FILE_NOT_TAKEN (no
   * regular file), FILE_UNREADABLE, FILE_CHANGED (not the version that the job names).
   */
  static async open({ file, workDir }: Pick<LoadJob, 'file' | 'workDir'>): Promise<FileInput> {
    const path = file.localPathHex === null ? file.localPath : Buffer.from(file.localPathHex, 'hex');
    let handle: FileHandle;
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      throw openError(file.localPath, error);
    }
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw new TallymanError('FILE_NOT_TAKEN', `${file.localPath}: not a regular file`);
      const input = new FileInput(file, handle, stats, workDir);
      if (stats.size !== BigInt(file.size) || (file.inPlace && versionOf(stats) !== file.version)) {
        throw new TallymanError('FILE_CHANGED', `${file.path}: changed before it was read`);
      }
      return input;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get size(): number {
    return this.#file.size;
  }

  /** The file's name at its source; its endings may tell a compression. */
  get name(): string {
    return this.#file.path;
  }

  /** Path of a landed copy, which nobody else can change; null = read in place. */
  get privatePath(): string | null {
    return this.#file.inPlace || this.#file.localPathHex !== null ? null : this.#file.localPath;
  }

  /**
   * Fills `into` from the position on, through the same descriptor that `pass` reads; returns how many bytes there
   * were, fewer only at the end.
   */
  async read(into: Buffer, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle
        .read(into, done, into.length - done, position + done)
        .catch((error: unknown) => {
          throw new TallymanError('FILE_UNREADABLE', `${this.#file.localPath}: ${messageOf(error)}`, { cause: error });
        });
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  /** Reads the file from its first byte. `algorithms`: checksums that are computed beside sha256. */
  pass(signal: AbortSignal, algorithms: readonly Algorithm[] = []): InputPass {
    return new InputPass(this.#handle, this.#file, signal, () => this.proveUnchanged(), algorithms);
  }

  /**
   * Throws FILE_CHANGED unless the descriptor shows the same version as when it was opened. ctime is part of it: size
   * and mtime can be put back.
   */
  async proveUnchanged(): Promise<void> {
    const now = await this.#handle.stat({ bigint: true });
    const same = now.size === this.#before.size && (!this.#file.inPlace || versionOf(now) === versionOf(this.#before));
    if (!same) throw new TallymanError('FILE_CHANGED', `${this.#file.path}: changed while it was read`);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** One reading of the whole file: bytes for the parser, a hash of exactly those bytes, and the proof at the end. */
export class InputPass {
  /** Bytes delivered so far. */
  consumed = 0;
  /** Checksums of the delivered bytes in hexadecimal, sha256 among them; known once `finish` has given it. */
  digests: ReadonlyMap<string, string> = new Map();
  readonly #handle: FileHandle;
  readonly #file: LoadJob['file'];
  readonly #signal: AbortSignal;
  readonly #proveUnchanged: () => Promise<void>;
  readonly #hash = createHash('sha256');
  readonly #others: readonly { readonly algorithm: Algorithm; readonly hash: Hash }[];
  readonly #pool: Buffer[] = [];
  #ahead: Promise<Buffer> | null = null;
  #turn = 0;
  #position = 0;

  constructor(
    handle: FileHandle,
    file: LoadJob['file'],
    signal: AbortSignal,
    proveUnchanged: () => Promise<void>,
    algorithms: readonly Algorithm[],
  ) {
    this.#handle = handle;
    this.#file = file;
    this.#signal = signal;
    this.#proveUnchanged = proveUnchanged;
    this.#others = algorithms
      .filter((algorithm) => algorithm !== 'sha256')
      .map((algorithm) => ({ algorithm, hash: createHash(algorithm) }));
  }

  /** The delivered bytes; a chunk stays valid until the chunk after the next is asked for. */
  readonly bytes: Bytes = { [Symbol.asyncIterator]: () => ({ next: () => this.#next(), return: () => this.#stop() }) };

  /**
   * Drains what the parser left, and proves that the bytes consumed are those of one unchanged version. Returns their
   * sha256 (hex). Throws FILE_CHANGED.
   */
  async finish(): Promise<string> {
    for (;;) {
      const { done } = await this.#next();
      if (done === true) break;
    }
    await this.#proveUnchanged();
    const name = this.#file.path;
    if (this.consumed !== this.#file.size)
      throw new TallymanError(
        'FILE_CHANGED',
        `${name}: ${this.consumed} bytes were read, ${this.#file.size} were there`,
      );
    const sha256 = this.#hash.digest('hex');
    if (this.#file.sha256 !== null && sha256 !== this.#file.sha256)
      throw new TallymanError('FILE_CHANGED', `${name}: the bytes read are not those that were hashed before`);
    this.digests = new Map([
      ['sha256', sha256],
      ...this.#others.map(({ algorithm, hash }) => [algorithm, hash.digest('hex')] as const),
    ]);
    return sha256;
  }

  /** Waits for the read under way, so that its buffer and the descriptor are free. */
  async stop(): Promise<void> {
    await this.#stop();
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    this.#signal.throwIfAborted();
    const chunk = await (this.#ahead ?? this.#read());
    this.#ahead = null;
    if (chunk.length === 0) return { done: true, value: undefined };
    this.consumed += chunk.length;
    this.#hash.update(chunk);
    for (const { hash } of this.#others) hash.update(chunk);
    this.#ahead = this.#read();
    // The read-ahead may fail while nobody waits for it; the failure is thrown when its turn comes.
    this.#ahead.catch(() => undefined);
    return { done: false, value: chunk };
  }

  async #read(): Promise<Buffer> {
    // One byte more than is due shows a file that grew; the version token tells the rest.
    const due = Math.min(CHUNK, this.#file.size + 1 - this.#position);
    if (due <= 0) return Buffer.alloc(0);
    const slot = this.#turn++ % BUFFERS;
    const buffer = (this.#pool[slot] ??= Buffer.allocUnsafeSlow(Math.min(CHUNK, this.#file.size + 1)));
    const { bytesRead } = await this.#handle.read(buffer, 0, due, this.#position).catch((error: unknown) => {
      throw new TallymanError('FILE_UNREADABLE', `${this.#file.localPath}: ${messageOf(error)}`, { cause: error });
    });
    this.#position += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  async #stop(): Promise<IteratorResult<Buffer>> {
    if (this.#ahead !== null) await this.#ahead.catch(() => undefined);
    return { done: true, value: undefined };
  }
}

function openError(path: string, error: unknown): TallymanError {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return new TallymanError('FILE_VANISHED', `${path}: gone`, { cause: error });
  if (hasCode(error, 'ELOOP', 'ENXIO'))
    return new TallymanError('FILE_NOT_TAKEN', `${path}: not a regular file`, { cause: error });
  // No trait of the file: this process, or the machine, has no descriptors left.
  if (isFewDescriptors(error))
    return new TallymanError('SOURCE_UNREACHABLE', `${path}: ${messageOf(error)}`, { cause: error });
  return new TallymanError('FILE_UNREADABLE', `${path}: ${messageOf(error)}`, { cause: error });
}
