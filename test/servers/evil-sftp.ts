import { generateKeyPairSync } from 'node:crypto';
import { Server, utils, type SFTPWrapper } from 'ssh2';

/** An entry as the server tells of it, and the bytes that it really gives. */
export interface EvilEntry {
  readonly name: string;
  readonly kind?: 'file' | 'folder' | 'link';
  /** Told size; the content's when omitted. */
  readonly size?: number;
  readonly mtime?: number;
  readonly content?: Buffer;
  /** What a look at it alone tells, when that is different. */
  readonly statSize?: number;
  /** A folder: what opening it, or reading its names, is answered with. */
  readonly opendir?: number;
  readonly readdir?: number;
  /** What its attributes leave out. */
  readonly omits?: readonly ('mode' | 'mtime')[];
  /** The line of a listing; the name when omitted. */
  readonly longname?: string;
}

export interface EvilServer {
  readonly port: number;
  readonly hostKey: string;
  /** What the folder `/` holds; change it at any time. */
  entries: readonly EvilEntry[];
  /** That folder itself. */
  root: EvilEntry;
  /** Bytes that one answer to READ holds at most. */
  maxRead: number;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** Logins that were tried. */
  readonly logins: () => number;
  readonly close: () => Promise<void>;
}

const MODES = { file: 0o100644, folder: 0o040755, link: 0o120777 } as const;
const { STATUS_CODE } = utils.sftp;

/** A server in the test process that says what no honest one would: ssh2's own Server. */
export async function startEvilServer(): Promise<EvilServer> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  let logins = 0;
  const clients = new Set<{ end(): void }>();
  const server = new Server({ hostKeys: [privateKey] }, (client) => {
    clients.add(client);
    client.on('error', () => undefined);
    client.on('close', () => clients.delete(client));
    client.on('authentication', (context) => {
      if (context.method === 'none') return context.reject(['password']);
      logins++;
      context.accept();
    });
    client.on('ready', () => {
      client.on('session', (accept) => {
        accept().on('sftp', (acceptSftp) => serve(acceptSftp(), evil));
      });
    });
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  const evil: EvilServer = {
    port,
    hostKey: `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`,
    entries: [],
    root: { name: '', kind: 'folder' },
    maxRead: 32_768,
    asked: [],
    logins: () => logins,
    close: async () => {
      for (const client of clients) client.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return evil;
}

function serve(sftp: SFTPWrapper, evil: EvilServer): void {
  const listed = new Set<string>();
  const find = (path: string): EvilEntry | undefined => {
    evil.asked.push(path);
    return evil.entries.find((entry) => `./${entry.name}` === path || `/${entry.name}` === path || entry.name === path);
  };
  const attrs = (
    entry: EvilEntry,
    size: number,
  ): { mode: number; uid: number; gid: number; size: number; atime: number; mtime: number } => {
    const all = {
      mode: MODES[entry.kind ?? 'file'],
      uid: 0,
      gid: 0,
      size,
      atime: 0,
      mtime: entry.mtime ?? 1_700_000_000,
    };
    for (const key of entry.omits ?? []) Reflect.deleteProperty(all, key);
    return all;
  };
  const told = (entry: EvilEntry): number => entry.size ?? entry.content?.length ?? 0;
  const look = (id: number, path: string): void => {
    if (path === '/' || path === '.') return sftp.attrs(id, attrs({ name: '', kind: 'folder' }, 0));
    const entry = find(path);
    if (entry === undefined) sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    else sftp.attrs(id, attrs(entry, entry.statSize ?? told(entry)));
  };
  let handles = 0;
  const readdirs = new Map<string, number>();
  sftp.on('OPENDIR', (id, path) => {
    const entry = path === '/' ? evil.root : find(path);
    if (entry?.opendir !== undefined) return sftp.status(id, entry.opendir);
    const handle = `d${++handles}`;
    if (entry?.readdir !== undefined) readdirs.set(handle, entry.readdir);
    sftp.handle(id, Buffer.from(handle));
  });
  sftp.on('READDIR', (id, handle) => {
    const key = handle.toString();
    const refused = readdirs.get(key);
    if (refused !== undefined) {
      sftp.status(id, refused);
      return;
    }
    if (listed.has(key)) {
      sftp.status(id, STATUS_CODE.EOF);
      return;
    }
    listed.add(key);
    sftp.name(
      id,
      evil.entries.map((entry) => ({
        filename: entry.name,
        longname: entry.longname ?? entry.name,
        attrs: attrs(entry, told(entry)),
      })),
    );
  });
  sftp.on('STAT', look);
  sftp.on('LSTAT', look);
  sftp.on('OPEN', (id, path) => {
    const entry = find(path);
    if (entry === undefined) sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    else sftp.handle(id, Buffer.from(`f${entry.name}`));
  });
  const of = (handle: Buffer): EvilEntry | undefined =>
    evil.entries.find((entry) => entry.name === handle.toString().slice(1));
  sftp.on('FSTAT', (id, handle) => {
    const entry = of(handle);
    if (entry === undefined) sftp.status(id, STATUS_CODE.FAILURE);
    else sftp.attrs(id, attrs(entry, entry.statSize ?? told(entry)));
  });
  sftp.on('READ', (id, handle, offset, length) => {
    const bytes = (of(handle)?.content ?? Buffer.alloc(0)).subarray(offset, offset + Math.min(length, evil.maxRead));
    if (bytes.length === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, bytes);
  });
  sftp.on('CLOSE', (id) => sftp.status(id, STATUS_CODE.OK));
  sftp.on('RENAME', (id) => sftp.status(id, STATUS_CODE.OP_UNSUPPORTED));
}
