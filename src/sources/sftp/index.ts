import type { SourceSpec } from '../../core/feed/source.js';
import { TallymanError } from '../../core/errors.js';
import type { ListingPage, SeenFile } from '../../core/file.js';
import type { Source, SourceType } from '../../core/source.js';
import { selectionOf, type Selection } from '../common/selection.js';
import { moveVersion, removeVersion } from './move.js';
import { SFTP_LIMITS, SftpConnection, type SftpLimits } from './connection.js';
import { listFolder } from './list.js';
import { decodeName } from '../common/path-name.js';
import { ASK, connectionOptions, sourceOptions, type SftpOptions, type SftpServer } from './options.js';
import { probeServer } from './probe.js';
import { readVersion, readWhole } from './read.js';
import { SftpRoot } from './root.js';

/** A folder on an SFTP server. Its files are landed before they are read. */
export const sftp: SourceType<SftpOptions> = {
  type: 'sftp',
  options: sourceOptions,
  pathOptions: [],
  connectionOption: 'connection',
  defaults: { pollMs: 60_000, settleMs: 10_000, recursive: false },
  connection: {
    options: connectionOptions,
    secretOptions: ['password', 'private_key', 'passphrase'],
    pathOptions: ['known_hosts', 'agent'],
    unproven: (plain) =>
      (plain['host_key'] ?? plain['known_hosts']) === undefined ? { ...plain, host_key: ASK } : plain,
  },
  open: (spec, options, connection) => openSftp(spec, options, connection),
};

/** One connection for each entry of `connections:`, as long as the config that holds the entry is in use. */
const connections = new WeakMap<object, SftpConnection>();

/** `limits` other than the usual ones are for tests. */
export function openSftp(
  spec: SourceSpec,
  options: SftpOptions,
  connection: Readonly<Record<string, unknown>> | undefined,
  limits: SftpLimits = SFTP_LIMITS,
): Source {
  if (connection === undefined)
    throw new TallymanError('INTERNAL', `connection ${options.connection} did not reach its source`);
  // The schema takes its own result too: options are parsed more than once, and an absolute folder stays as it is.
  const server = connectionOptions.parse(connection);
  let shared = connections.get(connection);
  if (shared === undefined) {
    shared = new SftpConnection(server, limits);
    connections.set(connection, shared);
  }
  const root = new SftpRoot(shared, { dir: options.dir, follow: options.follow, settleMs: spec.settleMs });
  return new SftpSource(root, selectionOf(spec), baseUrl(server, options.dir));
}

/** `sftp://host[:port]/dir/` */
function baseUrl(server: SftpServer, dir: string): string {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return `sftp://${host}${server.port === 22 ? '' : `:${server.port}`}/${urlPath(dir.replace(/^\.?\/+|^\.$|\/+$/g, ''))}`.replace(
    /([^/])$/,
    '$1/',
  );
}

const urlPath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

class SftpSource implements Source {
  readonly type = 'sftp';
  readonly #root: SftpRoot;
  readonly #selection: Selection;
  readonly #base: string;

  constructor(root: SftpRoot, selection: Selection, base: string) {
    this.#root = root;
    this.#selection = selection;
    this.#base = base;
    root.connection.use(this);
  }

  uri(path: string): string {
    return this.#base + urlPath(decodeName(path).toString('utf8'));
  }

  localPath(): null {
    return null;
  }

  list(signal: AbortSignal): AsyncIterable<ListingPage> {
    return listFolder(this.#root, this.#selection, signal);
  }

  async stat(path: string): Promise<SeenFile | null> {
    if (!this.#selection.isMoveTarget(path) && !this.#selection.takes(path))
      throw new TallymanError('FILE_NOT_TAKEN', `${path}: the feed does not take this name`);
    return await this.#look(path);
  }

  async statMarker(path: string): Promise<SeenFile | null> {
    return await this.#look(path);
  }

  async #look(path: string): Promise<SeenFile | null> {
    // Before anything is sent.
    this.#root.remote(path);
    const attrs = await this.#root.look(await this.#root.connection.control(), path);
    const file = attrs === null ? null : this.#root.file(path, attrs);
    if (typeof file === 'string') throw new TallymanError('FILE_NOT_TAKEN', `${path}: ${file}`);
    return file;
  }

  open(file: SeenFile, offset: number, signal: AbortSignal): AsyncIterable<Buffer> {
    return readVersion(this.#root, file, offset, signal);
  }

  async readSmall(path: string, limit: number): Promise<Buffer> {
    return await readWhole(this.#root, path, limit);
  }

  async remove(file: SeenFile): Promise<void> {
    await removeVersion(this.#root, file);
  }

  async move(file: SeenFile, to: string, suffix: string, as?: string): Promise<string> {
    return await moveVersion(this.#root, file, to, suffix, as);
  }

  async probe(rights: {
    readonly delete: boolean;
    readonly move: boolean;
    readonly tag: boolean;
  }): Promise<readonly string[]> {
    const findings = await probeServer(this.#root, rights);
    return rights.tag ? [...findings, 'after asks for tags, which files on an SFTP server do not have'] : findings;
  }

  async close(): Promise<void> {
    await this.#root.connection.release(this);
  }
}
