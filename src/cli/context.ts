import process from 'node:process';
import type { Command } from 'commander';
import { App } from '../app.js';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load-config.js';
import { maskSecrets } from '../config/mask.js';
import { TallymanError } from '../core/errors.js';
import { urlProblem } from '../operations/url-problem.js';
import { DECODERS, FORMATS, SOURCES } from '../registry.js';
import { commandLog } from './print/command-log.js';
import { Output } from './print/output.js';

/** What `-c`, `--json`, `-q` and `-v` say; given to every command. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** What a command gets to work with. */
export interface Context {
  readonly out: Output;
  readonly options: GlobalOptions;
  /** Throws CONFIG_INVALID (all mistakes) or CONFIG_MISSING. */
  config(): Config;
  /**
   * The parts behind the config. Closed by the caller of the command. `makeLog`: another log than that of a command
   * that ends by itself.
   */
  app(makeLog?: typeof commandLog): App;
  /** Signals: aborted by the first SIGINT or SIGTERM. */
  readonly interrupt: Interrupt;
}

/** A running command's way to hear of signals. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** 130 or 143 once one came. */
  exitCode(): number | null;
  /** Calls the listener whenever the daemon is to read its config again (SIGHUP), also for what came before. */
  onReload(listener: () => void): () => void;
}

/** `action` returns the exit code. Commander's own arguments come first, then its options. */
export type Action<A extends unknown[]> = (context: Context, ...args: A) => Promise<number>;

/** Wraps an action for commander: context in, exit code out. `load` gets the action when its command is given. */
export type Act = <A extends unknown[]>(load: () => Promise<Action<A>>) => (...args: A) => Promise<void>;

export const PARTS = { sources: SOURCES, formats: FORMATS, decoders: DECODERS, urlProblem };

/** Holds what one invocation of the CLI opened, and ends it. */
export class Invocation {
  readonly #options: GlobalOptions;
  readonly #interrupt: Interrupt;
  /** `check --connect` asks servers for what would prove them. */
  readonly #asks: boolean;
  #config: Config | null = null;
  #app: App | null = null;

  constructor(command: Command, interrupt: Interrupt) {
    this.#options = command.optsWithGlobals();
    this.#asks = command.name() === 'check' && command.opts()['connect'] === true;
    this.#interrupt = interrupt;
  }

  get json(): boolean {
    return this.#options.json === true;
  }

  context(): Context {
    return {
      out: new Output({
        json: this.json,
        quiet: this.#options.quiet === true,
        verbose: this.#options.verbose === true,
      }),
      options: this.#options,
      config: () => this.#loadConfig(),
      app: (makeLog = commandLog) => {
        const config = this.#loadConfig();
        return (this.#app ??= new App(
          config,
          makeLog(config, { quiet: this.#options.quiet === true, verbose: this.#options.verbose === true }),
        ));
      },
      interrupt: this.#interrupt,
    };
  }

  /** Any error as one that people read, secrets masked. */
  explain(error: unknown): TallymanError {
    const known = TallymanError.of(error);
    if (this.#config === null || this.#config.secrets.length === 0) return known;
    const masked = maskSecrets(
      known.message,
      this.#config.secrets.flatMap((secret) => secret.texts),
    );
    return masked === known.message ? known : new TallymanError(known.code, masked, { fix: known.fix });
  }

  async close(): Promise<void> {
    await this.#app?.close();
  }

  #loadConfig(): Config {
    return (this.#config ??= loadConfig({
      ...(this.#options.config === undefined ? {} : { path: this.#options.config }),
      env: process.env,
      cwd: process.cwd(),
      parts: PARTS,
      needsSecrets: false,
      asks: this.#asks,
    }).config);
  }
}

/** Who gives a command; stands in the history. */
export const actor = (): string => `cli:${process.env['USER'] ?? String(process.getuid?.() ?? 'user')}`;
