import process from 'node:process';
import type { App } from '../app.js';
import { loadConfig } from '../config/load-config.js';
import { serve as serveDaemon } from '../daemon/serve.js';
import { startHttp } from '../server/http.js';
import { PARTS, type Context } from './context.js';
import type { DaemonLog } from './print/log.js';

/** The daemon until a signal; SIGHUP reads the config again. */
export async function serve(
  context: Context,
  app: App,
  log: DaemonLog,
  feedNames: readonly string[] | null,
): Promise<number> {
  const { config: path } = context.options;
  const configOptions = {
    ...(path === undefined ? {} : { path }),
    env: process.env,
    cwd: process.cwd(),
    parts: PARTS,
    needsSecrets: false,
  };
  await serveDaemon(
    {
      app,
      reload: () => loadConfig(configOptions).config,
      onReload: (reload) => context.interrupt.onReload(reload),
      taken: (config) => log.follow(config),
      startHttp,
    },
    feedNames,
    context.interrupt.signal,
  );
  return 0;
}
