import process from 'node:process';
import { pino, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../../config/config.js';
import { maskSecrets } from '../../config/mask.js';
import type { Log } from '../../core/log.js';

/**
 * The daemon's log goes to stderr: pretty on a terminal, JSON elsewhere (daemon.log.format: auto). Every line passes
 * the mask, so that a secret that got into a message of a library does not leave the process.
 */
export function makeLog(config: Config, options: { readonly quiet: boolean; readonly verbose: boolean }): Log {
  const level = options.verbose ? 'debug' : options.quiet ? 'error' : config.daemon.log.level;
  const secrets = config.secrets.map((secret) => secret.reveal());
  const isPretty =
    config.daemon.log.format === 'pretty' || (config.daemon.log.format === 'auto' && process.stderr.isTTY);
  const sink: DestinationStream = isPretty
    ? pretty({
        colorize: process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '',
        ignore: 'pid,hostname',
        translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
        destination: 2,
        sync: true,
      })
    : pino.destination({ dest: 2, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(maskSecrets(line, secrets)) },
  );
}
