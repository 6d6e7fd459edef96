import { writeFileSync } from 'node:fs';
import type { S3Server } from '../../../servers/s3.js';
import type { Sshd } from '../../../servers/sshd.js';

export type Where = 'local' | 'sftp' | 's3';
export type Kind = 'csv' | 'csv.gz' | 'jsonl' | 'parquet';

export interface FeedPlan {
  readonly where: Where;
  readonly kind: Kind;
  /** Of a hundred files so many are this feed's. */
  readonly share: number;
  /** Files wait for `{name}.done`. */
  readonly marker?: boolean;
  /** A few paths, each version replaces the one before. */
  readonly versions?: boolean;
  readonly after: 'leave' | 'delete' | 'move';
}

/** Between them every kind of source, format, arrival and after action. Shares sum up to 100. */
export const PLANS: Readonly<Record<string, FeedPlan>> = {
  plain: { where: 'local', kind: 'csv', share: 22, after: 'move' },
  versions: { where: 'local', kind: 'csv', share: 8, versions: true, after: 'leave' },
  packed: { where: 'local', kind: 'csv.gz', share: 10, after: 'delete' },
  lines: { where: 'local', kind: 'jsonl', share: 10, marker: true, after: 'move' },
  columnar: { where: 'local', kind: 'parquet', share: 8, after: 'delete' },
  far: { where: 'sftp', kind: 'csv', share: 12, after: 'move' },
  far_packed: { where: 'sftp', kind: 'csv.gz', share: 6, marker: true, after: 'delete' },
  far_lines: { where: 'sftp', kind: 'jsonl', share: 5, after: 'delete' },
  lake: { where: 's3', kind: 'csv.gz', share: 9, after: 'delete' },
  lake_lines: { where: 's3', kind: 'jsonl', share: 5, after: 'move' },
  lake_columnar: { where: 's3', kind: 'parquet', share: 5, after: 'delete' },
};

export const COLUMNS = [
  { name: 'id', type: 'bigint', required: true },
  { name: 'file', type: 'text' },
  { name: 'v', type: 'numeric(12,2)' },
] as const;
export const BUCKET = 'long-run';

export interface Ends {
  readonly databaseUrl: string;
  readonly httpPort: number;
  readonly sshd: Sshd;
  readonly sftpPort: number;
  readonly s3: S3Server;
  readonly s3Port: number;
}

/** `poll` is what a reload changes. */
export async function writeConfig(
  file: string,
  { databaseUrl, httpPort, sshd, sftpPort, s3, s3Port }: Ends,
  poll: string,
): Promise<void> {
  const sources = {
    local: (name: string) => ({ type: 'local', dir: `drop/${name}`, poll, settle: '500ms' }),
    sftp: (name: string) => ({ type: 'sftp', connection: 'harbour', dir: `upload/${name}`, poll: '3s', settle: '1s' }),
    s3: (name: string) => ({ type: 's3', connection: 'lake', bucket: BUCKET, prefix: `${name}/`, poll: '3s' }),
  };
  const feeds = Object.entries(PLANS).map(([name, { where, kind, marker, versions, after }]) => {
    const move = { move: where === 's3' ? `done/${name}` : 'done' };
    return [
      name,
      {
        source: {
          ...sources[where](name),
          pattern: `*.${kind}`,
          ...(marker === true ? { ready: { marker: '{name}.done' } } : {}),
        },
        format: { type: kind === 'jsonl' ? 'json' : kind === 'parquet' ? 'parquet' : 'csv' },
        columns: COLUMNS,
        ...(versions === true ? { on_changed: 'replace' } : {}),
        after: { loaded: after === 'move' ? move : after, duplicate: after === 'leave' ? 'leave' : 'delete' },
        retry: { backoff: '1s', max_backoff: '5s' },
      },
    ] as const;
  });
  const config = {
    version: 1,
    data_dir: 'data',
    database: { url: databaseUrl },
    daemon: { concurrency: 2, http: { listen: `127.0.0.1:${httpPort}` } },
    connections: {
      harbour: {
        type: 'sftp',
        host: sshd.host,
        port: sftpPort,
        user: sshd.user,
        password: { env: 'SFTP_PASSWORD' },
        host_key: await sshd.hostKey(),
      },
      lake: {
        type: 's3',
        endpoint: `http://127.0.0.1:${s3Port}`,
        region: 'us-east-1',
        force_path_style: true,
        access_key_id: s3.accessKeyId,
        secret_access_key: { env: 'S3_SECRET' },
      },
    },
    feeds: Object.fromEntries(feeds),
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
}
