import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { Server, utils, type AuthContext, type Connection, type SFTPWrapper } from 'ssh2';

/** The login of sshd.sh. */
const USER = 'ingest';
const PASSWORD = 's3cret pass';
const UID = 2001;
const { STATUS_CODE } = utils.sftp;
const R = 4;
const W = 2;

/** A server that serves a real folder: ssh2's own Server, in the test process. For hosts where sshd cannot be had. */
export interface OwnSftp {
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly freeze: (frozen: boolean) => Promise<void>;
  readonly log: () => string;
}

/** Makes in `dir` what sshd.sh makes there: host key, keys of the login, its home; and listens on the port. */
export async function startOwnSftp(dir: string, port: number): Promise<OwnSftp> {
  const home = path.join(dir, 'home', USER);
  mkdirSync(path.join(home, 'upload'), { recursive: true });
  const at = (name: string): string => path.join(dir, name);
  makeKey(at('userkey'));
  makeKey(at('userkey_pp'), 'phrase');
  writeFileSync(
    at('authorized_keys'),
    ['userkey.pub', 'userkey_pp.pub'].map((name) => readFileSync(at(name), 'utf8')).join('\n'),
  );
  const sockets = new Set<Socket>();
  let listening: TcpServer | null = null;
  let log = '';
  const say = (line: string): void => void (log += `${line}\n`);
  const start = async (): Promise<void> => {
    makeKey(at('hostkey'));
    const ssh = new Server({ hostKeys: [readFileSync(at('hostkey'))] }, (client) =>
      greet(client, home, at('authorized_keys'), say),
    );
    const tcp = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      ssh.injectSocket(socket);
    });
    listening = tcp;
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(port, '127.0.0.1', resolve);
    });
  };
  await start();
  return {
    start,
    kill: async () => {
      for (const socket of sockets) socket.destroy();
      const tcp = listening;
      listening = null;
      if (tcp !== null) await new Promise<void>((resolve) => tcp.close(() => resolve()));
    },
    freeze: async (frozen) => {
      for (const socket of sockets)
        if (frozen) socket.pause();
        else socket.resume();
      await Promise.resolve();
    },
    log: () => log,
  };
}

function makeKey(file: string, passphrase?: string): void {
  if (existsSync(file)) return;
  const pair = utils.generateKeyPairSync(
    'ed25519',
    passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 16 },
  );
  writeFileSync(file, pair.private, { mode: 0o600 });
  writeFileSync(`${file}.pub`, `${pair.public} test\n`);
}

function greet(client: Connection, home: string, authorized: string, say: (line: string) => void): void {
  client.on('error', () => undefined);
  client.on('authentication', (context) => {
    if (isAllowed(context, authorized)) return context.accept();
    if (context.method === 'password') say(`Failed password for ${context.username}`);
    context.reject(['password', 'publickey']);
  });
  client.on('ready', () => {
    client.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => serve(acceptSftp(), home));
    });
  });
}

function isAllowed(context: AuthContext, authorized: string): boolean {
  if (context.username !== USER) return false;
  if (context.method === 'password') return context.password === PASSWORD;
  if (context.method !== 'publickey') return false;
  for (const line of readFileSync(authorized, 'utf8').split('\n')) {
    if (line.trim() === '') continue;
    const key = utils.parseKey(line);
    if (key instanceof Error || !key.getPublicSSH().equals(context.key.data)) continue;
    // Without a signature the client only asks whether the key is welcome.
    return (
      context.signature === undefined ||
      context.blob === undefined ||
      key.verify(context.blob, context.signature, context.hashAlgo)
    );
  }
  return false;
}

/** What the system itself would refuse to the login; this process may be root. */
function may(stats: Stats, bit: number): void {
  if (process.getuid?.() !== 0) return;
  const granted = stats.uid === UID ? stats.mode >> 6 : stats.mode;
  if ((granted & bit) === 0) throw Object.assign(new Error('Permission denied'), { code: 'EACCES' });
}

function own(at: string): void {
  if (process.getuid?.() === 0) chownSync(at, UID, UID);
}

const attrs = (stats: Stats) => ({
  mode: stats.mode,
  uid: stats.uid,
  gid: stats.gid,
  size: stats.size,
  atime: Math.floor(stats.atimeMs / 1_000),
  mtime: Math.floor(stats.mtimeMs / 1_000),
});

type Handle = { readonly fd: number } | { readonly folder: string; readonly names: string[] };

function serve(sftp: SFTPWrapper, home: string): void {
  const handles = new Map<string, Handle>();
  let count = 0;
  const real = (at: string): string => path.resolve(home, at);
  const give = (id: number, handle: Handle): void => {
    const key = `h${++count}`;
    handles.set(key, handle);
    sftp.handle(id, Buffer.from(key));
  };
  const fdOf = (handle: Buffer): number => {
    const found = handles.get(handle.toString());
    if (found === undefined || !('fd' in found)) throw new Error('no such handle');
    return found.fd;
  };
  /** The answer, or the status of what was thrown. */
  const answer = (id: number, work: () => void): void => {
    try {
      work();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      sftp.status(
        id,
        code === 'ENOENT' || code === 'ENOTDIR'
          ? STATUS_CODE.NO_SUCH_FILE
          : code === 'EACCES' || code === 'EPERM'
            ? STATUS_CODE.PERMISSION_DENIED
            : STATUS_CODE.FAILURE,
        error instanceof Error ? error.message : '',
      );
    }
  };
  const done = (id: number, work: () => void): void =>
    answer(id, () => {
      work();
      sftp.status(id, STATUS_CODE.OK);
    });
  const mayChange = (at: string): void => may(statSync(path.dirname(at)), W);
  const mustBeFree = (at: string): void => {
    if (lstatSync(at, { throwIfNoEntry: false }) !== undefined) throw new Error('Failure');
  };
  sftp.on('error', () => undefined);
  sftp.on('close', () => {
    for (const handle of handles.values()) if ('fd' in handle) closeSync(handle.fd);
    handles.clear();
  });
  sftp.on('REALPATH', (id, at) =>
    answer(id, () => {
      const filename = realpathSync(real(at));
      sftp.name(id, [{ filename, longname: filename, attrs: attrs(statSync(filename)) }]);
    }),
  );
  sftp.on('STAT', (id, at) => answer(id, () => sftp.attrs(id, attrs(statSync(real(at))))));
  sftp.on('LSTAT', (id, at) => answer(id, () => sftp.attrs(id, attrs(lstatSync(real(at))))));
  sftp.on('FSTAT', (id, handle) => answer(id, () => sftp.attrs(id, attrs(fstatSync(fdOf(handle))))));
  sftp.on('OPENDIR', (id, at) =>
    answer(id, () => {
      may(statSync(real(at)), R);
      give(id, { folder: real(at), names: readdirSync(real(at)) });
    }),
  );
  sftp.on('READDIR', (id, handle) =>
    answer(id, () => {
      const found = handles.get(handle.toString());
      if (found === undefined || !('names' in found)) throw new Error('no such handle');
      const entries = found.names.splice(0, 100).flatMap((name) => {
        const stats = lstatSync(path.join(found.folder, name), { throwIfNoEntry: false });
        return stats === undefined ? [] : [{ filename: name, longname: name, attrs: attrs(stats) }];
      });
      if (entries.length === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.name(id, entries);
    }),
  );
  sftp.on('OPEN', (id, at, flags) =>
    answer(id, () => {
      const mode = utils.sftp.flagsToString(flags) ?? 'r';
      if (mode === 'r') may(statSync(real(at)), R);
      else mayChange(real(at));
      give(id, { fd: openSync(real(at), mode) });
      if (mode !== 'r') own(real(at));
    }),
  );
  sftp.on('READ', (id, handle, offset, length) =>
    answer(id, () => {
      const buffer = Buffer.allocUnsafe(Math.min(length, 261_120));
      const bytes = readSync(fdOf(handle), buffer, 0, buffer.length, offset);
      if (bytes === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, buffer.subarray(0, bytes));
    }),
  );
  sftp.on('CLOSE', (id, handle) =>
    done(id, () => {
      const found = handles.get(handle.toString());
      handles.delete(handle.toString());
      if (found !== undefined && 'fd' in found) closeSync(found.fd);
    }),
  );
  sftp.on('REMOVE', (id, at) =>
    done(id, () => {
      mayChange(real(at));
      unlinkSync(real(at));
    }),
  );
  sftp.on('MKDIR', (id, at) =>
    done(id, () => {
      mayChange(real(at));
      mkdirSync(real(at));
      own(real(at));
    }),
  );
  // Version 3 refuses a name that is taken.
  sftp.on('RENAME', (id, from, to) =>
    done(id, () => {
      mayChange(real(from));
      mayChange(real(to));
      mustBeFree(real(to));
      renameSync(real(from), real(to));
    }),
  );
}
