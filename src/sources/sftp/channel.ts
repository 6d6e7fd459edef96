import type { SFTPWrapper } from 'ssh2';
import { TallymanError } from '../../core/errors.js';
import { takeBytes, type Arriving } from './bytes.js';
import { answerError, hasStatus, STATUS, unreachable } from './errors.js';
import { seconds, type Heard } from './heard.js';

/** What the server says of an entry; null = it does not say. */
export interface SftpAttrs {
  readonly kind: 'file' | 'folder' | 'link' | 'other' | null;
  /** Bytes. */
  readonly size: number | null;
  /** Whole seconds since 1970 (SFTP version 3 has no finer ones). */
  readonly mtime: number | null;
}

export interface SftpEntry {
  readonly name: string;
  readonly attrs: SftpAttrs;
}

export interface ChannelLimits {
  /**
   * With requests under way, not one byte of an answer on any channel of the connection for this long means that the
   * server hangs, milliseconds.
   */
  readonly idleMs: number;
  /** No single request takes longer than this, whatever else is answered, milliseconds. */
  readonly totalMs: number;
}

interface Pending {
  readonly since: number;
  readonly fail: (error: TallymanError) => void;
}

type Done<T> = (error: Error | undefined | null, value: T) => void;

/** Reads at most this large where a server's own limit is not known: what every server must take. */
const READ_SAFE = 32_768;
/** OpenSSH's limit of a packet less its header. */
const READ_MAX = 261_120;
/**
 * The package wants room for each read. Nothing is ever left in it: bytes come past it, and where they don't they are
 * copied out while the package reports them.
 */
const ROOM = Buffer.alloc(READ_MAX);

/**
 * One SFTP channel with promises. Every request ends: with the server's answer, or with SOURCE_UNREACHABLE when the
 * channel is lost or nothing is answered any more. (The package calls nobody back for a request that is sent into a
 * closed channel.)
 */
export class SftpChannel {
  readonly #sftp: SFTPWrapper;
  readonly #server: string;
  readonly #limits: ChannelLimits;
  readonly #onStalled: (error: TallymanError) => void;
  readonly #pending = new Set<Pending>();
  readonly #heard: Heard;
  /** The answer whose request the package is calling back. */
  #arriving: Arriving | null = null;
  #dead: TallymanError | null = null;
  #watch: NodeJS.Timeout | null = null;

  constructor(
    sftp: SFTPWrapper,
    server: string,
    limits: ChannelLimits,
    heard: Heard,
    onStalled: (error: TallymanError) => void,
  ) {
    this.#sftp = sftp;
    this.#heard = heard;
    this.#server = server;
    this.#limits = limits;
    this.#onStalled = onStalled;
    const onArriving = (arriving: Arriving | null): void => {
      this.#arriving = arriving;
    };
    const onBytes = (): void => {
      heard.sftpAt = performance.now();
    };
    takeBytes(sftp, READ_MAX, onArriving, onBytes);
    sftp.on('error', (error: Error) => this.fail(unreachable(server, error)));
    const lost = (): void => this.fail(new TallymanError('SOURCE_UNREACHABLE', `${server}: the connection was lost`));
    sftp.on('end', lost);
    sftp.on('close', lost);
  }

  get isDead(): boolean {
    return this.#dead !== null;
  }

  /** Bytes that one read may ask for. */
  get readSize(): number {
    const known: unknown = Reflect.get(this.#sftp, '_maxReadLen');
    return typeof known === 'number' && known >= READ_SAFE ? Math.min(known, READ_MAX) : READ_SAFE;
  }

  /** Everything under way and to come ends with this error. */
  fail(error: TallymanError): void {
    this.#dead ??= error;
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
    for (const pending of [...this.#pending]) pending.fail(error);
  }

  /** Gives the channel back to the server. */
  end(): void {
    this.fail(new TallymanError('SOURCE_UNREACHABLE', `${this.#server}: the channel was closed`));
    this.#sftp.end();
  }

  lstat = async (path: string): Promise<SftpAttrs | null> =>
    await this.#attrs((done: Done<unknown>) => this.#sftp.lstat(path, done));
  stat = async (path: string): Promise<SftpAttrs | null> =>
    await this.#attrs((done: Done<unknown>) => this.#sftp.stat(path, done));
  fstat = async (handle: Buffer): Promise<SftpAttrs> =>
    attrsOf(await this.#ask((done: Done<unknown>) => this.#sftp.fstat(handle, done)));
  realpath = async (path: string): Promise<string> =>
    await this.#ask((done: Done<string>) => this.#sftp.realpath(path, done));
  opendir = async (path: string): Promise<Buffer> =>
    await this.#ask((done: Done<Buffer>) => this.#sftp.opendir(path, done));
  open = async (path: string): Promise<Buffer> =>
    await this.#ask((done: Done<Buffer>) => this.#sftp.open(path, 'r', done));
  unlink = async (path: string): Promise<void> =>
    await this.#ask((done: Done<void>) => this.#sftp.unlink(path, noValue(done)));
  mkdir = async (path: string): Promise<void> =>
    await this.#ask((done: Done<void>) => this.#sftp.mkdir(path, noValue(done)));
  /** Fails with FAILURE when something stands under the new name (SFTP version 3). */
  rename = async (from: string, to: string): Promise<void> =>
    await this.#ask((done: Done<void>) => this.#sftp.rename(from, to, noValue(done)));
  /** Overwrites. Throws SftpStatus UNSUPPORTED where the server lacks the extension. */
  posixRename = async (from: string, to: string): Promise<void> =>
    await this.#ask((done: Done<void>) => this.#sftp.ext_openssh_rename(from, to, noValue(done)));
  /** Creates an empty file; fails when the name is taken. */
  create = async (path: string): Promise<Buffer> =>
    await this.#ask((done: Done<Buffer>) => this.#sftp.open(path, 'wx', done));
  close = async (handle: Buffer): Promise<void> =>
    await this.#ask((done: Done<void>) => this.#sftp.close(handle, noValue(done)));

  /** The next names of a folder; null = there are no more. */
  async readdir(handle: Buffer): Promise<readonly SftpEntry[] | null> {
    try {
      const list = await this.#ask(
        (done: Done<readonly { readonly filename: string; readonly longname?: unknown; readonly attrs: unknown }[]>) =>
          this.#sftp.readdir(handle, done),
      );
      return list.map(({ filename, longname, attrs }) => ({ name: filename, attrs: attrsOf(attrs, longname) }));
    } catch (error) {
      if (hasStatus(error, STATUS.EOF)) return null;
      throw error;
    }
  }

  /** At most `length` bytes from `position`; fewer when the server gives fewer, none at the end of the file. */
  async read(handle: Buffer, position: number, length: number): Promise<Buffer> {
    const pieces = await this.readPieces(handle, position, length);
    return Buffer.concat(pieces);
  }

  /** The same in the pieces in which it came. `length` is at most `readSize`. Each piece is the caller's to keep. */
  async readPieces(handle: Buffer, position: number, length: number): Promise<readonly Buffer[]> {
    return await this.#ask((done: Done<readonly Buffer[]>) => {
      this.#sftp.read(handle, ROOM, 0, Math.min(length, READ_MAX), position, (error, bytesRead) => {
        const arriving = this.#arriving;
        if (hasFailed(error)) done(error, []);
        else if (arriving === null) done(null, bytesRead === 0 ? [] : [Buffer.from(ROOM.subarray(0, bytesRead))]);
        else if (arriving.length > length) done(new Error('Received more data than requested'), []);
        else arriving.deliver = (pieces) => done(null, pieces);
      });
    });
  }

  async #attrs(send: (done: Done<unknown>) => void): Promise<SftpAttrs | null> {
    try {
      return attrsOf(await this.#ask(send));
    } catch (error) {
      if (hasStatus(error, STATUS.NO_SUCH_FILE)) return null;
      throw error;
    }
  }

  async #ask<T>(send: (done: Done<T>) => void): Promise<T> {
    if (this.#dead !== null) throw this.#dead;
    return await new Promise<T>((resolve, reject) => {
      const pending: Pending = {
        since: performance.now(),
        fail: (error) => {
          this.#pending.delete(pending);
          reject(error);
        },
      };
      this.#pending.add(pending);
      this.#watch ??= setInterval(() => this.#lookForStall(), Math.max(20, Math.min(1_000, this.#limits.idleMs / 4)));
      try {
        send((error, value) => {
          this.#heard.sftpAt = performance.now();
          this.#pending.delete(pending);
          if (hasFailed(error)) reject(answerError(error, this.#server));
          else resolve(value);
        });
      } catch (error) {
        this.#pending.delete(pending);
        reject(answerError(unsupported(error), this.#server));
      }
    });
  }

  #lookForStall(): void {
    const [oldest] = this.#pending;
    if (oldest === undefined) {
      if (this.#watch !== null) clearInterval(this.#watch);
      this.#watch = null;
      return;
    }
    const now = performance.now();
    const silent = now - Math.max(this.#heard.sftpAt, oldest.since);
    const waited = now - oldest.since;
    if (silent < this.#limits.idleMs && waited < this.#limits.totalMs) return;
    const error = new TallymanError(
      'SOURCE_UNREACHABLE',
      silent < this.#limits.idleMs
        ? `${this.#server}: a request was not answered for ${seconds(waited)} s, while others were`
        : `${this.#server}: no answer for ${seconds(silent)} s`,
    );
    this.fail(error);
    this.#onStalled(error);
  }
}

const hasFailed = (error: Error | null | undefined): error is Error => error !== undefined && error !== null;

const noValue =
  (done: Done<void>) =>
  (error?: Error | null): void =>
    done(error, undefined);

/** The package throws a plain Error for an extension that the server does not offer. */
function unsupported(error: unknown): unknown {
  if (error instanceof Error && error.message.includes('does not support'))
    return Object.assign(error, { code: STATUS.UNSUPPORTED });
  return error;
}

/** S_IFMT and its values (POSIX); servers that are no Unix send them too. */
const KINDS: ReadonlyMap<number, SftpAttrs['kind']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
]);

/** The line of `ls -l` that comes with a name begins with it. */
const LETTERS: ReadonlyMap<string, SftpAttrs['kind']> = new Map([
  ['-', 'file'],
  ['d', 'folder'],
  ['l', 'link'],
]);

/**
 * Each attribute may be missing (draft-02, 5), and a size can be past what a double holds exactly. Where the mode is
 * missing the line of a listing may tell what it is.
 */
function attrsOf(stats: unknown, longname?: unknown): SftpAttrs {
  const get = (key: string): number | null => {
    const value: unknown = typeof stats === 'object' && stats !== null ? Reflect.get(stats, key) : undefined;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
  };
  const mode = get('mode');
  const letter = typeof longname === 'string' && /^[-dl][-rwxsStT]{9}/.test(longname) ? longname.charAt(0) : '';
  const kind =
    mode === null || (mode & 0o170000) === 0 ? (LETTERS.get(letter) ?? null) : (KINDS.get(mode & 0o170000) ?? 'other');
  return { kind, size: get('size'), mtime: get('mtime') };
}
