import process from 'node:process';
import type { Config } from '../../config/config.js';
import { maskSecrets } from '../../config/mask.js';
import type { Log } from '../../core/log.js';
import { visible } from './output.js';

/**
 * The log of a command that ends by itself: it tells its outcome as data and its errors at the end, so only what would
 * go unseen (a name that is not taken) is said on the way; with -v everything. Plain text, and no logging package to
 * load: that is 50 ms of start-up.
 */
export function commandLog(config: Config, options: { readonly quiet: boolean; readonly verbose: boolean }): Log {
  const silent = (): void => undefined;
  const secrets = config.secrets.map((secret) => secret.reveal());
  const say = (fields: object, message: string): void => {
    const where = ['feed', 'path'].flatMap((name) => (name in fields ? [String(Reflect.get(fields, name))] : []));
    process.stderr.write(`tallyman: ${visible(maskSecrets([...where, message].join(': '), secrets))}\n`);
  };
  const shown = options.verbose ? say : silent;
  return { debug: shown, info: shown, warn: options.quiet ? silent : say, error: shown };
}
