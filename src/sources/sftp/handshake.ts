import { connect } from 'node:net';
import { messageOf, TallymanError } from '../../core/errors.js';
import { AGREED, allAlgorithms, listOf, namesOf, type Agreed } from './algorithms.js';
import { serverName, type SftpServer } from './options.js';
import { quietClient } from './ssh-client.js';

/** How the client words what the two sides could not agree on. */
const WORDS: readonly (readonly [RegExp, Agreed])[] = [
  [/no matching key exchange/i, 'kex'],
  [/no matching host key/i, 'host_key'],
  [/no matching (?:C->S|S->C) cipher/i, 'cipher'],
  [/no matching (?:C->S|S->C) MAC/i, 'mac'],
];

/** How it tells, when it is asked to talk, what the server offers. */
const OFFERS: Readonly<Record<Agreed, RegExp>> = {
  kex: /\(remote\) KEX method: (.*)/,
  host_key: /\(remote\) Host key format: (.*)/,
  cipher: /\(remote\) S->C cipher: (.*)/,
  mac: /\(remote\) S->C MAC: (.*)/,
};

/** Names among the ways of exchanging keys that are none, but say what a side can do. */
const SIGNALS = /^(?:ext-info-|kex-strict-)/;

const OFFER_MS = 10_000;

/**
 * The two sides know nothing in common: that does not go away by itself, so the error names what each offers and what
 * would help. null = the error is another one.
 */
export async function disagreement(server: SftpServer, error: unknown): Promise<TallymanError | null> {
  const key = WORDS.find(([words]) => words.test(messageOf(error)))?.[1];
  if (key === undefined) return null;
  const offers = (await offersOf(server, key)) ?? [];
  const ours = listOf(server.algorithms, key);
  const { what } = AGREED[key];
  const known: readonly string[] = namesOf(key);
  const shared = offers.filter((name) => known.includes(name));
  const written = shared.map((name) => `"+${name}"`).join(', ');
  const told = offers.join(', ') || 'what it does not tell';
  const wish =
    shared.length > 0
      ? `for a newer ${what}, or allow what it has: algorithms: { ${key}: [${written}] } of the connection.`
      : `to allow a ${what} that tallyman knows: ${known.join(', ')}.`;
  return new TallymanError(
    'SOURCE_UNREACHABLE',
    [
      `${serverName(server)}: no ${what} in common. The server offers ${told}; tallyman ${ours.join(', ')}.`,
      'No login was sent',
    ].join(' '),
    { cause: error, fix: `This does not go away by itself. Ask the operator of the server ${wish}` },
  );
}

/** Asks once more, listening to what the server offers; null = it does not tell. */
async function offersOf(server: SftpServer, key: Agreed): Promise<readonly string[] | null> {
  const { client } = quietClient(serverName(server));
  const line = connect({ host: server.host, port: server.port });
  line.on('error', () => undefined);
  try {
    return await new Promise((resolve) => {
      let found: readonly string[] | null = null;
      const timer = setTimeout(() => resolve(null), OFFER_MS);
      const end = (): void => {
        clearTimeout(timer);
        resolve(found);
      };
      client.on('error', end);
      client.on('close', end);
      client.connect({
        sock: line,
        username: server.user,
        hostVerifier: () => false,
        debug: (said: string) => {
          const list = OFFERS[key].exec(said)?.[1];
          if (list === undefined) return;
          found = list.split(',').filter((name) => name !== '' && !SIGNALS.test(name));
          end();
        },
        // Whatever is known, so that it gets as far as what is asked for.
        algorithms: allAlgorithms(),
      });
    });
  } catch {
    return null;
  } finally {
    client.destroy();
    line.destroy();
  }
}
