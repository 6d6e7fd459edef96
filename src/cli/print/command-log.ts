import type { Config } from '../../config/config.js';
import { maskSecrets } from '../../config/mask.js';
import type { Log } from '../../core/log.js';
import { oneLine } from '../../base/text/terminal-text.js';
import { say as sayLine } from './streams.js';

/**
 * The log of a command that ends by itself: it tells its outcome as data and its errors at the end, so only what would
 * go unseen (a name that is not taken) is said on the way; with -v everything. Plain text, and no logging package to
 * load: that is 50 ms of start-up.
 */
export function commandLog(config: Config, options: { readonly quiet: boolean; readonly verbose: boolean }): Log {
  const silent = (): void => undefined;
  const say =
    (word: (fields: object) => string) =>
    (fields: object, message: string): void => {
      const where = ['feed', 'path'].flatMap((name) => (name in fields ? [String(Reflect.get(fields, name))] : []));
      const secrets = config.secrets.flatMap((secret) => secret.texts);
      sayLine(`${word(fields)}: ${oneLine(maskSecrets([...where, message].join(': '), secrets))}\n`);
    };
  const sayer = (word: string) => say((fields) => ('code' in fields ? `${word}[${String(fields.code)}]` : word));
  const note = say(() => 'tallyman');
  const { verbose, quiet } = options;
  return {
    debug: verbose ? note : silent,
    info: verbose ? note : silent,
    warn: quiet ? silent : sayer('warning'),
    error: verbose ? sayer('error') : silent,
  };
}
