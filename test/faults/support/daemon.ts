import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended } from '../../support/cli.js';
import { MAIN } from './strace.js';

export interface Daemon {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  output(): string;
  /** To the process and all it started: it leads a process group of its own. */
  killGroup(signal: NodeJS.Signals): void;
  /** Waits until `text` was said; throws with all that was said when the process ends before, or after `seconds`. */
  said(text: string, seconds?: number): Promise<void>;
}

/**
 * The CLI in a process group of its own. `through` is a program with its arguments that starts it (`faketime -f +1d`,
 * `prlimit --nofile=256`); `node` are options of Node's.
 */
export function startDaemon(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly through?: readonly string[];
    readonly node?: readonly string[];
  },
): Daemon {
  const [program, ...words] = [...(options.through ?? []), process.execPath, ...(options.node ?? []), MAIN, ...args];
  const child = spawn(program!, words, {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  return {
    child,
    pid,
    ended,
    output: () => stdout + stderr,
    killGroup(signal) {
      try {
        process.kill(-pid, signal);
      } catch (error) {
        // It has ended this moment.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    },
    async said(text, seconds = 60) {
      for (const end = performance.now() + seconds * 1_000; !(stdout + stderr).includes(text); await sleep(20)) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`ended (${child.exitCode ?? child.signalCode}) before it said ${text}: ${stdout}${stderr}`);
        if (performance.now() > end) throw new Error(`did not say ${text} within ${seconds} s: ${stdout}${stderr}`);
      }
    },
  };
}
