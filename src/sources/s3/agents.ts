import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, rootCertificates } from 'node:tls';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { S3Connection } from './options.js';

/** Requests under way at once, per feed. */
const SOCKETS = 64;

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** How sockets to the store are made: its authorities, and the proxy on the way. Throws SOURCE_UNREACHABLE. */
export async function agentsOf(connection: S3Connection, connectMs: number): Promise<Agents> {
  const ca = connection.ca === undefined ? null : [...rootCertificates, await authorities(connection.ca)];
  const options = { keepAlive: true, maxSockets: SOCKETS, ...(ca === null ? {} : { ca }) };
  if (connection.proxy === undefined) return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
  const proxy = new URL(connection.proxy);
  return {
    httpAgent: new TunnelAgent(options, proxy, connectMs),
    httpsAgent: new TlsTunnelAgent(options, proxy, connectMs),
  };
}

async function authorities(file: string): Promise<string> {
  let why = 'it holds no PEM (-----BEGIN CERTIFICATE-----)';
  try {
    const text = await readFile(file, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (error) {
    why = messageOf(error);
  }
  throw new TallymanError('SOURCE_UNREACHABLE', `ca ${file} cannot be used: ${why}`, {
    fix: 'Correct ca of the connection. It is read again with the next try.',
  });
}

type Made = (error: Error | null, socket?: Duplex) => void;
/** As Node gives them to the agent. */
interface Wanted {
  readonly host?: string | null | undefined;
  readonly port?: string | number | null | undefined;
  readonly servername?: string | undefined;
}

class TunnelAgent extends HttpAgent {
  readonly #proxy: URL;
  readonly #connectMs: number;

  constructor(options: AgentOptions, proxy: URL, connectMs: number) {
    super(options);
    this.#proxy = proxy;
    this.#connectMs = connectMs;
  }

  override createConnection(wanted: Wanted, made: Made): undefined {
    tunnel(this.#proxy, wanted, this.#connectMs, made);
  }
}

class TlsTunnelAgent extends HttpsAgent {
  readonly #proxy: URL;
  readonly #connectMs: number;

  constructor(options: AgentOptions & { readonly ca?: string[] }, proxy: URL, connectMs: number) {
    super(options);
    this.#proxy = proxy;
    this.#connectMs = connectMs;
  }

  override createConnection(wanted: Wanted, made: Made): undefined {
    tunnel(this.#proxy, wanted, this.#connectMs, (error, socket) => {
      if (socket === undefined) made(error);
      else made(null, connectTls({ ...wanted, host: wanted.host ?? '', port: Number(wanted.port), socket }));
    });
  }
}

/** HTTP CONNECT: the proxy passes bytes on and reads none of them. */
function tunnel(proxy: URL, { host, port }: Wanted, connectMs: number, made: Made): void {
  const to = `${host?.includes(':') === true ? `[${host}]` : host}:${port}`;
  const asking = request({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? 80 : Number(proxy.port),
    method: 'CONNECT',
    path: to,
    headers: { host: to },
    agent: false,
    timeout: connectMs,
  });
  const failed = (why: string): void => made(new Error(`proxy ${proxy.host}: ${why}`));
  asking.once('connect', (answer, socket: Socket, head) => {
    socket.setTimeout(0);
    if (answer.statusCode === 200 && head.length === 0) made(null, socket);
    else {
      socket.destroy();
      failed(`it does not let us through to ${to} (HTTP ${answer.statusCode ?? '?'})`);
    }
  });
  asking.once('timeout', () => asking.destroy(new Error(`no answer for ${connectMs / 1_000} s`)));
  asking.once('error', (error) => failed(messageOf(error)));
  asking.end();
}
