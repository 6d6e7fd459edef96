import * as z from 'zod';
import { Secret } from '../../core/secret.js';
import { oneOrMany, text } from '../../config/schema/scalars.js';
import { algorithmOptions } from './algorithms.js';
import { parseHostKey } from './host-key.js';

/** `source:` of type sftp. Made when a config has such a feed, as those of connections: it takes 15 ms. */
export const sourceOptions = z.lazy(() =>
  z.strictObject({
    connection: text().describe('Name of an entry of connections: of type sftp.'),
    dir: text().default('.').describe('The folder on the server in which files arrive, from the login folder.'),
    follow: z.boolean().default(false).describe('Take symbolic links too: files and folders that they lead to.'),
  }),
);
export type SftpOptions = z.output<typeof sourceOptions>;

/** In place of a key: none is known yet. The server is asked for it, and no login is sent to it. */
export const ASK = 'ask';

/** Stays text, so that `config print` shows it as it was written. */
const hostKey = () =>
  text().refine(
    (line) => line === ASK || parseHostKey(line) !== null,
    'is no host key: write it as "ssh-ed25519 AAAA...", one line. With host_key: ask, `tallyman check --connect` shows the line; compare its fingerprint with what the operator says',
  );

const secretText = () => z.instanceof(Secret);

/** `connections:` of type sftp. */
export const connectionOptions = z.lazy(() =>
  z
    .strictObject({
      host: text().describe('Name or address of the server.'),
      port: z.number().int().min(1).max(65_535).default(22).describe('TCP port.'),
      user: text().describe('Name to log in with.'),
      password: secretText().optional().describe('Password. One of password, private_key, agent is required.'),
      private_key: secretText().optional().describe('Private key (ed25519, ecdsa or rsa), as text or { file: path }.'),
      passphrase: secretText().optional().describe('Passphrase of the private key.'),
      agent: z
        .union([z.literal(true), text()])
        .optional()
        .describe('Path of the socket of an SSH agent; true = the one that SSH_AUTH_SOCK names.'),
      host_key: oneOrMany(hostKey())
        .optional()
        .describe(
          'The key of the server, "ssh-ed25519 AAAA..."; a list while it is exchanged. `ask` = not known yet, no login is sent. This or known_hosts is required.',
        ),
      algorithms: algorithmOptions()
        .optional()
        .describe(
          'For servers that speak nothing else. Names with + come besides the usual ones, without + these alone.',
        ),
      known_hosts: text()
        .optional()
        .describe('Path of a known_hosts file (hashed names too), read at each connect. This or host_key is required.'),
    })
    .superRefine((value, context) => {
      const issue = (path: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (value.host_key === undefined && value.known_hosts === undefined)
        issue(
          'host_key',
          'is required (or known_hosts): anybody could answer as this server. `tallyman check --connect` shows it',
        );
      if (value.host_key !== undefined && value.known_hosts !== undefined)
        issue('known_hosts', 'cannot stand beside host_key');
      if (value.password === undefined && value.private_key === undefined && value.agent === undefined)
        issue('password', 'is required (or private_key, or agent)');
      if (value.passphrase !== undefined && value.private_key === undefined)
        issue('passphrase', 'is of no use without private_key');
    }),
);
export type SftpServer = z.output<typeof connectionOptions>;

export const serverName = (server: SftpServer): string => `sftp ${server.host}:${server.port}`;
