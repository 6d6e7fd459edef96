import type { Client, SFTPWrapper } from 'ssh2';
import { TallymanError } from '../../core/errors.js';
import { backoff } from '../../base/backoff.js';
import { SftpChannel, type ChannelLimits } from './channel.js';
import { unreachable } from './errors.js';
import { seconds, whileHeard, type Heard } from './heard.js';
import type { Login, LoginLimits } from './login.js';
import { serverName, type SftpServer } from './options.js';
import { ReadAhead } from './read-ahead.js';
import { renewSecrets } from '../../core/secret.js';
import { Slots } from '../../base/slots.js';

export interface SftpLimits extends LoginLimits, ChannelLimits {
  /**
   * Transfers at once over one connection, each on a channel of its own. OpenSSH allows 10 channels unless told
   * otherwise.
   */
  readonly transfers: number;
  /** After a connection that failed, and after a login that was refused: the first pause and the longest one. */
  readonly retry: { readonly baseMs: number; readonly maxMs: number };
  readonly refusedRetry: { readonly baseMs: number; readonly maxMs: number };
}

export const SFTP_LIMITS: SftpLimits = {
  connectMs: 20_000,
  // As long as OpenSSH gives a login (LoginGraceTime).
  loginMs: 120_000,
  keepaliveMs: 15_000,
  idleMs: 60_000,
  totalMs: 600_000,
  transfers: 4,
  retry: { baseMs: 500, maxMs: 60_000 },
  // Common lock-outs count 3 to 5 refusals within 10 to 30 minutes: half a minute, one, two, four ... up to an hour.
  refusedRetry: { baseMs: 30_000, maxMs: 3_600_000 },
};

interface Live {
  readonly ssh: Client;
  readonly control: SftpChannel;
  readonly channels: Set<SftpChannel>;
  readonly heard: Heard;
  readonly ahead: ReadAhead;
  readonly watch: NodeJS.Timeout;
}

/** A transfer's channel; give it back with release(). */
export interface Transfer {
  readonly channel: SftpChannel;
  /** How much may be asked for at once over this line. */
  readonly ahead: ReadAhead;
  release(): void;
}

/**
 * One kept-alive connection, shared by all feeds of a `connections:` entry. It is made when it is first needed and made
 * again after it was lost. While it waits after a failure every call fails at once with that failure: the feeds do
 * their own waiting, and together they do not try more often than one would.
 */
export class SftpConnection {
  readonly server: string;
  readonly #spec: SftpServer;
  readonly #limits: SftpLimits;
  readonly #transfers: Slots;
  readonly #users = new Set<object>();
  #live: Promise<Live> | null = null;
  #failures = 0;
  #refusals = 0;
  #notBefore = 0;
  #error: TallymanError | null = null;

  constructor(spec: SftpServer, limits: SftpLimits = SFTP_LIMITS) {
    this.server = serverName(spec);
    this.#spec = spec;
    this.#limits = limits;
    this.#transfers = new Slots(limits.transfers);
  }

  /** Counts as in use until `release` with the same object. */
  use(user: object): void {
    this.#users.add(user);
  }

  /** The last one ends the connection. It may be used again: it is made anew then. */
  async release(user: object): Promise<void> {
    this.#users.delete(user);
    if (this.#users.size > 0 || this.#live === null) return;
    const live = await this.#live.catch(() => null);
    if (live !== null && this.#users.size === 0)
      this.#drop(live, new TallymanError('SOURCE_UNREACHABLE', `${this.server}: closed`));
  }

  /** The channel for listings, looks and after actions. Throws SOURCE_UNREACHABLE, HOST_KEY_MISMATCH. */
  async control(): Promise<SftpChannel> {
    return (await this.#connected()).control;
  }

  /**
   * A channel of its own for the bytes of a file, so that it can be given up without harm to others. Waits for its
   * turn.
   */
  async transfer(signal: AbortSignal): Promise<Transfer> {
    const free = await this.#transfers.take(signal);
    try {
      const live = await this.#connected();
      const own = await this.#openChannel(live);
      const channel = own ?? live.control;
      return {
        channel,
        ahead: live.ahead,
        release: (): void => {
          if (own !== null) {
            live.channels.delete(own);
            own.end();
          }
          free();
        },
      };
    } catch (error) {
      free();
      throw error;
    }
  }

  async #connected(): Promise<Live> {
    if (this.#live !== null) return await this.#live;
    const connecting = this.#connect();
    this.#live = connecting;
    try {
      return await connecting;
    } catch (error) {
      if (this.#live === connecting) this.#live = null;
      throw error;
    }
  }

  async #connect(): Promise<Live> {
    // Exchanged meanwhile: what was refused before says nothing of it.
    const renewed = renewSecrets(this.#spec);
    if (renewed) this.#refusals = 0;
    if (!renewed && this.#error !== null && performance.now() < this.#notBefore) throw this.#error;
    // Loaded with the first connection: the ssh packages cost every other command, and every worker thread, 70 ms of
    // start-up.
    const { login } = await import('./login.js');
    const result = await login(this.#spec, this.#limits);
    if (!result.ok) {
      this.#failed(result.error, result.refused);
      throw result.error;
    }
    this.#failures = this.#refusals = 0;
    this.#error = null;
    return this.#watched(result);
  }

  #failed(error: TallymanError, refused: boolean): void {
    this.#failures++;
    if (refused) this.#refusals++;
    const pause = refused
      ? backoff(this.#refusals, this.#limits.refusedRetry)
      : backoff(this.#failures, this.#limits.retry);
    this.#error = error;
    this.#notBefore = performance.now() + pause;
  }

  #watched({ ssh, sftp, heard }: Login): Live {
    const channels = new Set<SftpChannel>();
    const { idleMs } = this.#limits;
    // Also between listings: a server that is well answers keepalives.
    const watch = setInterval(
      () => {
        const silent = performance.now() - heard.lineAt;
        if (silent < idleMs + this.#limits.keepaliveMs) return;
        this.#drop(
          live,
          new TallymanError('SOURCE_UNREACHABLE', `${this.server}: not one byte for ${seconds(silent)} s`),
        );
      },
      Math.max(20, Math.min(1_000, idleMs / 4)),
    );
    const control = this.#channel(sftp, heard, (error) => this.#drop(live, error));
    const live: Live = { ssh, channels, heard, ahead: new ReadAhead(), watch, control };
    channels.add(live.control);
    ssh.on('error', (error) => this.#drop(live, unreachable(this.server, error)));
    const lost = (): void =>
      this.#drop(live, new TallymanError('SOURCE_UNREACHABLE', `${this.server}: the connection was lost`));
    ssh.on('end', lost);
    ssh.on('close', lost);
    return live;
  }

  #channel(sftp: SFTPWrapper, heard: Heard, onStalled: (error: TallymanError) => void): SftpChannel {
    return new SftpChannel(sftp, this.server, this.#limits, heard, onStalled);
  }

  /** null when the server allows no further channel (MaxSessions 1): the transfer shares the first one. */
  async #openChannel(live: Live): Promise<SftpChannel | null> {
    const lost = new TallymanError('SOURCE_UNREACHABLE', `${this.server}: the connection was lost`);
    let onClose = (): void => undefined;
    const opening = new Promise<SFTPWrapper | null>((resolve, reject) => {
      onClose = (): void => reject(lost);
      live.ssh.once('close', onClose);
      live.ssh.sftp((error, opened) => {
        if (error === undefined) resolve(opened);
        else if (/open failure|subsystem/i.test(error.message)) resolve(null);
        else reject(unreachable(this.server, error));
      });
    });
    try {
      const sftp = await whileHeard(
        opening,
        { silentMs: this.#limits.connectMs, totalMs: this.#limits.loginMs },
        () => live.heard.sftpAt,
        (why) => new TallymanError('SOURCE_UNREACHABLE', `${this.server}: ${why}`),
      );
      if (sftp === null) return null;
      const channel = this.#channel(sftp, live.heard, (error) => this.#drop(live, error));
      live.channels.add(channel);
      return channel;
    } catch (error) {
      const known = unreachable(this.server, error);
      this.#drop(live, known);
      throw known;
    } finally {
      live.ssh.removeListener('close', onClose);
    }
  }

  #drop(live: Live, error: TallymanError): void {
    clearInterval(live.watch);
    for (const channel of live.channels) channel.fail(error);
    live.channels.clear();
    live.ssh.destroy();
    void this.#forget(live);
  }

  async #forget(live: Live): Promise<void> {
    const held = this.#live;
    if (held !== null && (await held.catch(() => null)) === live && this.#live === held) this.#live = null;
  }
}
