import process from 'node:process';
import { App } from '../app.js';
import { loadConfig } from '../config/load-config.js';
import { serve as serveDaemon } from '../daemon/serve.js';
import { startHttp } from '../server/http.js';
import { PARTS, type Context } from './context.js';

/** The daemon until a signal; SIGHUP reads the config again. */
export async function serve(context: Context, first: App, feedNames: readonly string[] | null): Promise<number> {
  const { config: path } = context.options;
  const configOptions = { ...(path === undefined ? {} : { path }), env: process.env, cwd: process.cwd(), parts: PARTS };
  await serveDaemon(
    {
      first,
      reload: () => new App(loadConfig(configOptions).config, first.log, first.events),
      onReload: (reload) => {
        process.on('SIGHUP', reload);
        return () => process.off('SIGHUP', reload);
      },
      startHttp,
    },
    feedNames,
    context.interrupt.signal,
  );
  return 0;
}
