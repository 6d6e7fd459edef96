import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';
import { temporaryDir } from './support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The ledger as plain JavaScript in a folder of its own, so that other processes can run it (and be killed). */
export function compileLedger(): string {
  const dir = temporaryDir();
  for (const folder of ['base', 'core', 'ledger']) {
    for (const name of readdirSync(path.join(ROOT, 'src', folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const { outputText } = ts.transpileModule(readFileSync(path.join(ROOT, 'src', folder, name), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
      });
      const file = path.join(dir, folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, outputText);
    }
  }
  writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  return dir;
}

/** Runs a script in a process of its own; `lines` gathers what it prints. */
export function runScript(
  compiled: string,
  script: string,
  args: readonly string[],
): { readonly child: ChildProcess; readonly lines: string[]; readonly ended: Promise<void> } {
  const file = path.join(compiled, 'script.mjs');
  writeFileSync(file, script);
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const printed = createInterface({ input: child.stdout });
  printed.on('line', (line) => lines.push(line));
  const closed = new Promise<void>((resolve) => printed.once('close', resolve));
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      resolve();
    });
  });
  return { child, lines, ended: Promise.all([closed, exited]).then(() => undefined) };
}

/** Waits until `done()`, at most 20 s. */
export async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never came');
}
