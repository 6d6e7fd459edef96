// Runs one command and says what it took: seconds, CPU seconds of it and its children, the most memory that it held
// (Linux; null elsewhere).
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { onEnd } from './cleanup.mjs';

/** USER_HZ: fixed at 100 for what /proc shows, on every Linux that Node runs on. */
const TICKS = 100;
/**
 * Between two looks at the memory. VmHWM is a high-water mark, so only what was first reached in the last 25 ms is
 * missed.
 */
const LOOK_MS = 25;

/**
 * Options: those of spawn; `server`: a server of server.mjs, whose CPU seconds are then told too; `stdin`: a file
 * descriptor.
 */
export async function measure(command, args, { server = null, stdin = 'ignore', ...options } = {}) {
  const serverBefore = server?.cpu() ?? null;
  const before = childrenCpu();
  const started = process.hrtime.bigint();
  const child = spawn(command, args, { ...options, stdio: [stdin, 'pipe', 'pipe'] });
  const release = onEnd(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  const memory = new Memory(child.pid);
  const timer = setInterval(() => memory.look(), LOOK_MS);
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  let code;
  try {
    code = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
  } finally {
    clearInterval(timer);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  await release();
  return {
    code,
    seconds,
    peak: memory.peak,
    client: minus(childrenCpu(), before),
    server: minus((await server?.settledCpu()) ?? null, serverBefore),
    out,
    err,
  };
}

/** The same, and an error unless the command ended well. */
export async function must(command, args, options = {}) {
  const { codes = [0], ...rest } = options;
  const run = await measure(command, args, rest);
  if (!codes.includes(run.code))
    throw new Error(`${command} ended with ${run.code}: ${run.err.slice(-2000)}${run.out.slice(-2000)}`);
  return run;
}

/** The high-water mark of a process, and of the children that it starts (a reader of its own, say), added up. */
export class Memory {
  #pid;
  #marks = new Map();
  #looks = 0;

  constructor(pid) {
    this.#pid = pid;
  }

  /** Bytes; null where there is no /proc. */
  get peak() {
    return this.#marks.size === 0 ? null : [...this.#marks.values()].reduce((a, b) => a + b, 0);
  }

  look() {
    const pids = this.#looks++ % 4 === 0 ? [this.#pid, ...childrenOf(this.#pid)] : [...this.#marks.keys()];
    for (const pid of pids) {
      const mark = /VmHWM:\s+(\d+) kB/.exec(readOrNull(`/proc/${pid}/status`) ?? '');
      if (mark) this.#marks.set(pid, Number(mark[1]) * 1024);
    }
  }
}

/**
 * CPU seconds of a process and of its children that have ended; null where there is no /proc, or the process is gone.
 */
export function cpuOf(pid) {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // Behind the name in parentheses, which may hold anything: state is the first, utime the 12th, then stime, cutime,
  // cstime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    own: (Number(fields[11]) + Number(fields[12])) / TICKS,
    ended: (Number(fields[13]) + Number(fields[14])) / TICKS,
  };
}

/** Processes that any thread of this one has started. */
export function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      (readOrNull(`/proc/${pid}/task/${task}/children`) ?? '').trim().split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return []; // gone between two looks
  }
}

const childrenCpu = () => cpuOf(process.pid)?.ended ?? null;
const minus = (a, b) => (a === null || b === null ? null : a - b);

function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // gone between two looks, or no /proc here
  }
}
