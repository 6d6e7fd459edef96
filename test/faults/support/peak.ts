import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The most memory that a process held, in MiB, as the kernel counts it (VmHWM); 0 where there is no /proc. Ask once the
 * process has ended.
 */
export function peakOf(child: ChildProcess): () => number {
  let peak = 0;
  const look = (): void => {
    try {
      peak = Math.max(
        peak,
        Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? 0) / 1_024,
      );
    } catch {
      // It has ended, or there is no /proc.
    }
  };
  const timer = setInterval(look, 20);
  child.once('exit', () => clearInterval(timer));
  return () => peak;
}
