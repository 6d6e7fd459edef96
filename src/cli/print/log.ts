import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { guardJson, shownJson } from '../../base/text/terminal-text.js';
import type { Config } from '../../config/config.js';
import { maskSecrets } from '../../config/mask.js';
import type { Log } from '../../core/log.js';
import type { Secret } from '../../core/secret.js';
import { hasColour, isTerminal, messages } from './streams.js';

/** The daemon's log. */
export interface DaemonLog extends Log {
  /** Another config holds: its level and its secrets. */
  follow(config: Config): void;
}

/**
 * The daemon's log goes to stderr: pretty on a terminal, JSON elsewhere (daemon.log.format: auto). Every line passes
 * the mask, so that a secret that got into a message of a library does not leave the process.
 */
export function makeLog(config: Config, options: { readonly quiet: boolean; readonly verbose: boolean }): DaemonLog {
  const levelOf = ({ daemon }: Config): string =>
    options.verbose ? 'debug' : options.quiet ? 'error' : daemon.log.level;
  // Those of an earlier config stay secrets.
  const earlier = new Set<string>();
  let secrets: readonly Secret[] = config.secrets;
  const textsOf = (from: readonly Secret[]): readonly string[] => from.flatMap((secret) => secret.texts);
  const masked = (line: string): string => maskSecrets(line, [...earlier, ...textsOf(secrets)]);
  const isPretty = config.daemon.log.format === 'pretty' || (config.daemon.log.format === 'auto' && isTerminal(2));
  const toText = isPretty
    ? prettyFactory({
        colorize: hasColour(2),
        ignore: 'pid,hostname',
        translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
      })
    : null;
  const show = (line: string): string => (toText === null ? guardJson(line) : toText(shownJson(line)));
  messages().lostNote = (lines) => {
    const msg = `${lines} lines of this log were dropped: nobody read them, or the disk was full`;
    return show(`${JSON.stringify({ level: 'warn', time: new Date().toISOString(), code: 'LOG_LOST', lines, msg })}\n`);
  };
  const log = pino(
    {
      level: levelOf(config),
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => messages().write(show(masked(line))) },
  );
  return Object.assign(log, {
    follow: (next: Config): void => {
      log.level = levelOf(next);
      for (const text of textsOf(secrets)) earlier.add(text);
      secrets = next.secrets;
    },
  });
}
