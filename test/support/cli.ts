import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { FileReport } from '../../src/core/report.js';

const MAIN = path.resolve(import.meta.dirname, '../../dist/main.js');

export interface Ended {
  /** null = killed by a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real CLI (`main`, else dist/main.js), started; `ended` resolves when it has. */
export function start(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly main?: string } = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended>; output(): string } {
  const child = spawn(process.execPath, [options.main ?? MAIN, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended, output: () => stdout + stderr };
}

/** Runs the CLI to its end. */
export function tallyman(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly main?: string } = {},
): Promise<Ended> {
  return start(args, options).ended;
}

export interface Workspace {
  readonly dir: string;
  readonly config: string;
  /** The drop of the first feed. */
  readonly drop: string;
  put(name: string, content: string | Buffer): string;
  /** Runs a command with this config. */
  run(...args: string[]): Promise<Ended>;
  /** `run --once --json`: reports by path, and the summary. */
  once(...args: string[]): Promise<{
    readonly code: number | null;
    readonly reports: readonly FileReport[];
    readonly summary: Summary;
    readonly stderr: string;
  }>;
  json(...args: string[]): Promise<unknown>;
  remove(): void;
}

export interface Summary {
  readonly message_type: 'summary';
  readonly files: Readonly<Record<string, number>>;
  readonly rows: Readonly<Record<string, number>>;
  readonly exit_code: number;
}

/**
 * A folder of its own with a config of one or more local feeds, each with a drop of its name. `settle` is 0s unless a
 * feed says otherwise.
 */
export function workspace(
  databaseUrl: string,
  feeds: Readonly<Record<string, Record<string, unknown>>>,
  top: Readonly<Record<string, unknown>> = {},
): Workspace {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-ws-'));
  const names = Object.keys(feeds);
  for (const name of names) mkdirSync(path.join(dir, 'drop', name), { recursive: true });
  const full = Object.fromEntries(
    names.map((name) => {
      const { source, format, ...rest } = feeds[name]!;
      return [
        name,
        {
          source: {
            type: 'local',
            dir: `drop/${name}`,
            pattern: '*.csv',
            settle: '0s',
            poll: '1s',
            ...(source as object | undefined),
          },
          format: { type: 'csv', ...(format as object | undefined) },
          ...rest,
        },
      ];
    }),
  );
  const config = path.join(dir, 'tallyman.yaml');
  writeFileSync(
    config,
    JSON.stringify(
      { version: 1, data_dir: 'data', database: { url: databaseUrl }, daemon: { http: false }, feeds: full, ...top },
      null,
      2,
    ),
  );
  const drop = path.join(dir, 'drop', names[0]!);
  const run = (...args: string[]): Promise<Ended> => tallyman([...args, '-c', config], { cwd: dir });
  return {
    dir,
    config,
    drop,
    put(name, content) {
      const file = path.join(drop, name);
      writeFileSync(file, content);
      return file;
    },
    run,
    async once(...args) {
      const ended = await run('run', '--once', '--json', ...args);
      const lines = ended.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as FileReport | Summary);
      const summary = lines.at(-1);
      if (summary?.message_type !== 'summary') throw new Error(`no summary: ${ended.stdout}${ended.stderr}`);
      return {
        code: ended.code,
        reports: lines.filter((line): line is FileReport => line.message_type === 'file'),
        summary,
        stderr: ended.stderr,
      };
    },
    async json(...args) {
      const ended = await run(...args, '--json');
      return JSON.parse(ended.stdout) as unknown;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
