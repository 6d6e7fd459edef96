import type { Client } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';

/** The connection behind the client is needed for further channels; the package has it as `client`, its types don't. */
export class SshClient extends SftpClient {
  declare readonly client: Client;
}

/** Own listeners, because the client's default ones write to the console. */
export const quietClient = (name: string): SshClient =>
  new SshClient(name, { error: nothing, end: nothing, close: nothing });

const nothing = (): void => undefined;
