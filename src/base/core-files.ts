import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

/**
 * Memory holds passwords and rows: no core file of this process, nor of those it starts, gets them. The soft limit of
 * core files goes to 0 (prlimit(1); Node has no call for it), unless it is 0 already: starting a program takes 25 ms.
 * Should somebody raise it again, or the system hand cores to a program in spite of it, then only registers and the ELF
 * headers that name the build are in them (core(5), coredump_filter). Where there is neither (not Linux), the system's
 * own limit holds; see docs/reliability.md. Called before the first secret is read.
 */
export function emptyCoreFiles(): void {
  // Where one of the two fails it is as it was: nothing else depends on it. spawn throws where no process can be made
  // (ENOMEM under vm.overcommit_memory=2).
  for (const step of [() => writeFileSync('/proc/self/coredump_filter', '0x10'), limitCoreFiles]) {
    try {
      step();
    } catch {
      continue;
    }
  }
}

function limitCoreFiles(): void {
  if (/^Max core file size +0 /m.test(readFileSync('/proc/self/limits', 'latin1'))) return;
  spawn('prlimit', ['--pid', String(process.pid), '--core=0:'], { stdio: 'ignore' })
    .on('error', () => undefined)
    .unref();
}
