import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf, TallymanError } from '../core/errors.js';
import type { Secret } from '../core/secret.js';
import type { DaemonView, Listening } from '../daemon/serve.js';
import { limitConnections } from './connections.js';

/** Milliseconds for a request to come in whole, and how often that is looked at. */
const REQUEST_MS = 10_000;
const LOOK_MS = 1_000;
const MOST_CONNECTIONS = 100;

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[?::1\]?|(.+\.)?localhost\.?)$/i;

/** Whoever asks whether the process lives has no token: a container's probe, a load balancer. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

/**
 * `/livez`, `/readyz`, `/metrics` (docs/spec/running.md#http). Where a token is set every path but /livez and /readyz
 * asks for it (`Authorization: Bearer ...`); off loopback the config makes it compulsory. Throws USAGE when the address
 * is taken.
 */
export async function startHttp(
  listen: { readonly host: string; readonly port: number },
  parts: DaemonView,
): Promise<Listening> {
  const server = createServer({ connectionsCheckingInterval: LOOK_MS }, (request, response) => {
    answer(request, response, listen.host, parts).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    });
  });
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = REQUEST_MS;
  server.setTimeout(REQUEST_MS);
  limitConnections(server, MOST_CONNECTIONS);
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new TallymanError('USAGE', `daemon.http.listen ${listen.host}:${listen.port}: ${error.message}`, {
          fix: 'Choose another port under daemon.http.listen, or set daemon.http: false.',
        }),
      ),
    );
    server.listen(listen.port, listen.host, resolve);
  });
  server.on('error', () => undefined);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : listen.port;
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  host: string,
  parts: DaemonView,
): Promise<void> {
  const token = parts.token();
  if (LOOPBACK.test(host) && !isOurHost(request, host))
    return send(response, 421, 'text/plain', 'this address is asked for under another name\n');
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET\n');
  // Asked before the path is looked at, so that a new one is closed unless it is named here.
  if (!OPEN_PATHS.has(path) && !allowed(request, token))
    return send(response, 401, 'text/plain', 'a token is needed\n', { 'www-authenticate': 'Bearer' });
  const engine = parts.engine();
  const feeds = parts.feeds().map((feed) => ({ feed, health: engine?.health(feed) ?? null }));
  switch (path) {
    case '/livez':
      return send(response, 200, 'text/plain', 'ok\n');
    case '/readyz': {
      const problems = [
        ...(engine === null
          ? ['starting']
          : engine.databaseError === null
            ? engine.ready
              ? []
              : ['starting']
            : [`database: ${engine.databaseError.code}`]),
        ...feeds.flatMap(({ feed, health }) => {
          // A feed that waits for a lock goes on by itself; the daemon is none the less ready for it.
          const stopped = health?.stopped?.code === 'DATABASE_BUSY' ? null : health?.stopped;
          const trouble = health?.error ?? stopped ?? null;
          return trouble === null ? [] : [`feed ${feed}: ${trouble.code}`];
        }),
      ];
      return send(
        response,
        problems.length === 0 ? 200 : 503,
        'text/plain',
        problems.length === 0 ? 'ok\n' : allowed(request, token) ? `${problems.join('\n')}\n` : 'not ready\n',
      );
    }
    case '/metrics':
      return send(
        response,
        200,
        parts.metrics.contentType,
        await parts.metrics.text({
          running: engine?.running ?? 0,
          databaseUp: engine?.ready === true,
          feeds: feeds.map(({ feed, health }) => ({
            feed,
            healthy: health?.healthy === true && health.stopped === null,
            waiting: health?.waiting ?? 0,
            stopped: health?.stopped?.code ?? null,
            skipped: health?.skipped.count ?? 0,
            unlisted: health?.unlisted.count ?? 0,
          })),
          unmatched: await parts.unmatched(),
        }),
      );
    default:
      return send(response, 404, 'text/plain', 'not found\n');
  }
}

/**
 * On loopback: a page of the web that had its name changed to 127.0.0.1 asks under that name. A program without a name
 * for us (HTTP/1.0) is no browser.
 */
function isOurHost({ headers }: IncomingMessage, host: string): boolean {
  const asked = headers.host?.replace(/:\d*$/, '').toLowerCase();
  return asked === undefined || asked === host.toLowerCase() || LOOPBACK.test(asked);
}

function allowed(request: IncomingMessage, token: Secret | null): boolean {
  if (token === null) return true;
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Hashes are of one length, so that the comparison tells nothing, not even how long the token is.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token.reveal()));
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': type.includes('charset') ? type : `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(body);
}
